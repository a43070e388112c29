"""The site's REST interface as a client sees it, with the time of all it was told."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from chat.local_gemini import scripted

_PATIENCE_S = 90.0
_PAGE = 100


class Surprise(AssertionError):
    """The site answered something that it never should."""


@dataclass(frozen=True, slots=True)
class Event:
    """A server-sent event; `at` in seconds of the monotonic clock."""

    name: str
    data: dict[str, Any]
    offset: int | None
    at: float


@dataclass(slots=True)
class Shown:
    """What a reader has seen of one answer, and when."""

    text: str = ""
    seen: list[tuple[int, float]] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Take in a `delta`. Raises: Surprise when its id is not the text's length."""
        self.text += event.data["text"]
        if len(self.text) != event.offset:
            raise Surprise(f"{len(self.text)} characters were shown: {event}")
        self.seen.append((event.offset, event.at))

    def seconds_beyond(self, stored_length: int) -> float:
        """Return how much of the stream was shown after the stored characters."""
        if not self.seen or self.seen[-1][0] <= stored_length:
            return 0.0
        stored_at = [at for length, at in self.seen if length <= stored_length]
        return self.seen[-1][1] - (stored_at or [self.seen[0][1]])[-1]


class Api:
    """A client of one site; a new connection for each call unless it may keep them."""

    def __init__(self, url: str, *, kept_connections: int = 0) -> None:
        self.http = httpx2.AsyncClient(
            base_url=f"{url}/api/v1/sessions/",
            limits=httpx2.Limits(max_keepalive_connections=kept_connections),
            timeout=_PATIENCE_S,
            trust_env=False,
        )

    async def begin(self) -> int:
        """Start a conversation and return its id."""
        answer = await self.http.post("", json={})
        conversation_id: int = answer.raise_for_status().json()["id"]
        return conversation_id

    async def messages(self, conversation_id: int) -> list[dict[str, Any]]:
        """Return all messages of a conversation as the site lists them."""
        found: list[dict[str, Any]] = []
        while True:
            page = await self.http.get(
                f"{conversation_id}/messages",
                params={"skip": len(found), "limit": _PAGE},
            )
            listed = page.raise_for_status().json()
            found += listed["messages"]
            if len(found) >= listed["total"] or not listed["messages"]:
                return found

    async def say(
        self, conversation_id: int, text: str, *, key: str = ""
    ) -> httpx2.Response:
        """Say something and wait for the answer."""
        return await self.http.post(
            f"{conversation_id}/chat", json={"message": text}, headers=_headers(key)
        )

    async def retry(self, conversation_id: int) -> httpx2.Response:
        """Have the last message answered anew and wait for it."""
        return await self.http.post(f"{conversation_id}/retry")

    @asynccontextmanager
    async def stream(
        self, path: str, *, text: str | None = None, key: str = "", after: int = 0
    ) -> AsyncIterator[httpx2.Response]:
        """Open a stream of events; a GET for `…/events`, else a POST."""
        headers = _headers(key) | {"Accept": "text/event-stream"}
        if after:
            headers["Last-Event-ID"] = str(after)
        method = "GET" if path.endswith("/events") else "POST"
        body = None if text is None else {"message": text}
        async with self.http.stream(
            method, path, json=body, headers=headers
        ) as response:
            yield response


async def events(response: httpx2.Response) -> AsyncIterator[Event]:
    """Yield the events of a stream; comments are left out."""
    waiting = b""
    async for piece in response.aiter_bytes():
        *frames, waiting = (waiting + piece).split(b"\n\n")
        for frame in frames:
            lines = dict(line.split(b": ", 1) for line in frame.split(b"\n") if line)
            if b"event" in lines:
                offset = int(lines[b"id"]) if b"id" in lines else None
                name, data = lines[b"event"].decode(), json.loads(lines[b"data"])
                yield Event(name, data, offset, time.monotonic())


async def settle(response: httpx2.Response, shown: Shown) -> Event | None:
    """Read a stream to its last event; None when it breaks off before."""
    last = None
    async for event in events(response):
        if event.name == "delta":
            shown.add(event)
        elif event.name in {"end", "error"}:
            last = event
    return last


def spoken(text: str, *, words: int) -> str:
    """Return the whole answer that the scripted model gives to `text`."""
    return scripted.answer(scripted.question(text), words=words)


def say(text: str, *, words: int, delay_ms: int) -> str:
    """Return a message that asks for an answer of so many words at that pace."""
    return f"{text} [[say words={words} delay_ms={delay_ms}]]"


def _headers(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key} if key else {}
