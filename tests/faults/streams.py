"""Many answers at once, read to their ends by people who never reconnect."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import psutil

from tests.faults import api
from tests.faults.api import Api, Event, Shown, Surprise


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
    new = [await client.begin() for _ in range(count)]
    return await open_in(client, new, words=words, delay_ms=delay_ms)


async def open_in(
    client: Api, conversations: Iterable[int], *, words: int, delay_ms: int
) -> Choir:
    """Ask a question in each of these conversations, and read on."""
    text = api.say("Sing", words=words, delay_ms=delay_ms)
    expected = api.spoken(text, words=words)
    streams = [Stream(each, expected) for each in conversations]
    tasks = [asyncio.create_task(_read(client, one, text)) for one in streams]
    choir = Choir(streams, tasks)
    await choir.begun()
    return choir


async def _read(client: Api, one: Stream, text: str) -> None:
    path = f"{one.conversation_id}/chat"
    with contextlib.suppress(httpx2.TransportError):
        async with client.stream(path, text=text) as response:
            assert response.status_code == 200, await response.aread()
            async for event in api.events(response):
                if event.name == "delta":
                    one.shown.add(event)
                    one.has_begun.set()
                elif event.name in {"end", "error"}:
                    one.last = event
    one.has_begun.set()


async def leave_early(
    client: Api, *, words: int, delay_ms: int = 100
) -> tuple[int, str, int]:
    """Ask, read the first text and go.

    Returns the conversation, the whole answer to come and the length that was read.
    """
    conversation_id = await client.begin()
    text = api.say("Tell me", words=words, delay_ms=delay_ms)
    shown = Shown()
    async with client.stream(f"{conversation_id}/chat", text=text) as response:
        async for event in api.events(response):
            if event.name == "delta":
                shown.add(event)
                break
    return conversation_id, api.spoken(text, words=words), len(shown.text)


@contextlib.asynccontextmanager
async def not_served_by(
    pid: int, client: Api, path: str, *, after: int
) -> AsyncIterator[httpx2.Response]:
    """Open a stream that any other process than this one serves."""
    while True:
        async with client.stream(path, after=after) as response:
            assert response.status_code == 200, response.status_code
            if pid not in _servers_of(response):
                yield response
                return


def _servers_of(response: httpx2.Response) -> set[int]:
    """Return the processes that hold the other end of a connection."""
    stream = response.extensions["network_stream"]
    port = stream.get_extra_info("client_addr")[1]
    return {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.raddr and connection.raddr.port == port and connection.pid
    }


async def last_event(response: httpx2.Response) -> Event:
    """Read a stream to its last event. Raises: Surprise when it breaks off."""
    last = await api.settle(response, Shown())
    if last is None:
        raise Surprise("The stream broke off.")
    return last


async def settled(
    client: Api, conversation_id: int, *, within_s: float
) -> dict[str, Any]:
    """Return the answer once it has ended."""
    deadline = time.monotonic() + within_s
    while True:
        answer = (await client.messages(conversation_id))[-1]
        if answer["status"] not in {"pending", "streaming"}:
            return answer
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.2)
