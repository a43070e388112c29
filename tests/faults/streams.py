"""Many answers at once, read to their ends by people who never reconnect."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.faults import api
from tests.faults.api import Api, Event, Shown


@dataclass(slots=True)
class Stream:
    """One answer as its only reader saw it; `last` is None when it broke off."""

    conversation_id: int
    expected: str
    shown: Shown = field(default_factory=Shown)
    last: Event | None = None
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)

    def is_whole(self) -> bool:
        """Tell whether the reader saw the whole answer and was told so."""
        return (
            self.last is not None
            and self.last.name == "end"
            and self.last.data["status"] == "complete"
            and self.shown.text == self.expected
        )


@dataclass(slots=True)
class Choir:
    """Streams that are being read; `tasks` end with them."""

    streams: list[Stream]
    tasks: list[asyncio.Task[None]]

    async def begun(self) -> None:
        """Return when each of them has shown text."""
        await asyncio.gather(*(one.has_begun.wait() for one in self.streams))

    async def ended(self) -> list[Stream]:
        """Return them when all have ended."""
        await asyncio.gather(*self.tasks)
        return self.streams


async def open_many(client: Api, count: int, *, words: int, delay_ms: int) -> Choir:
    """Ask so many questions, each in a conversation of its own, and read on."""
    text = api.say("Sing", words=words, delay_ms=delay_ms)
    expected = api.spoken(text, words=words)
    streams = [Stream(await client.begin(), expected) for _ in range(count)]
    tasks = [asyncio.create_task(_read(client, one, text)) for one in streams]
    choir = Choir(streams, tasks)
    await choir.begun()
    return choir


async def _read(client: Api, one: Stream, text: str) -> None:
    async with client.stream(f"{one.conversation_id}/chat", text=text) as response:
        assert response.status_code == 200, await response.aread()
        async for event in api.events(response):
            if event.name == "delta":
                one.shown.add(event)
                one.has_begun.set()
            elif event.name in {"end", "error"}:
                one.last = event
                one.has_begun.set()


async def answer_of(client: Api, conversation_id: int) -> dict[str, Any]:
    """Return the newest message of a conversation."""
    return (await client.messages(conversation_id))[-1]
