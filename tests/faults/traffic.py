"""People in many conversations who say something all the time, whatever is switched."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests import servers
from tests.faults import api
from tests.faults.api import Api

_WORDS = 6


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn whose answer came whole, as its client was told."""

    conversation_id: int
    generation_no: int
    was_persistent: bool


class Traffic:
    """Clients who share conversations among them and go round and round in their own.

    `asked` are the turns that were begun after the last `mark()` and have ended.
    """

    def __init__(self, client: Api) -> None:
        self.asked: list[Asked] = []
        self._client = client
        self._is_over = False
        self._has_ended = asyncio.Event()

    def mark(self) -> None:
        """Count anew, only what is begun from now on."""
        self.asked = []

    async def until(self, check: Callable[[list[Asked]], bool]) -> None:
        """Return when the turns since the mark are what is waited for."""
        while not check(self.asked):
            self._has_ended.clear()
            await self._has_ended.wait()

    def end(self) -> None:
        """Let everybody finish the turn they are in."""
        self._is_over = True

    async def talk(self, conversations: Sequence[int]) -> None:
        """Send turns, one after the other, until the end."""
        for number in itertools.count():
            conversation_id = conversations[number % len(conversations)]
            since_mark = self.asked
            turn = await self._say(conversation_id, number)
            used = turn["performance_info"]["used_persistent_session"]
            since_mark.append(Asked(conversation_id, number, used))
            self._has_ended.set()
            if self._is_over:
                return

    async def _say(self, conversation_id: int, number: int) -> dict[str, Any]:
        text = api.say(f"Turn {number}", words=_WORDS, delay_ms=2)
        response = await self._client.say(conversation_id, text)
        assert response.status_code == 200, response.text
        turn: dict[str, Any] = response.json()
        told = turn["assistant_message"]["content"]
        assert told == api.spoken(text, words=_WORDS), turn
        return turn


@asynccontextmanager
async def flowing(
    site: servers.Site, conversations: Sequence[int], *, clients: int
) -> AsyncIterator[Traffic]:
    """Let so many clients talk in these conversations, each in its share of them.

    Every turn must be answered well; what is not ends the block with its error.
    """
    talking = Api(site.url, kept_connections=clients)
    async with talking.http, asyncio.TaskGroup() as tasks:
        traffic = Traffic(talking)
        for number in range(clients):
            tasks.create_task(traffic.talk(conversations[number::clients]))
        yield traffic
        traffic.end()


def all_of(conversations: Sequence[int]) -> Callable[[list[Asked]], bool]:
    """Wait for a turn in each of these."""
    wanted = set(conversations)

    def check(asked: list[Asked]) -> bool:
        return len(asked) >= len(wanted) and wanted <= {
            one.conversation_id for one in asked
        }

    return check


def at_least(count: int) -> Callable[[list[Asked]], bool]:
    """Wait for so many turns."""
    return lambda asked: len(asked) >= count
