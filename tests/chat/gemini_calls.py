"""Short ways to ask a Gemini model in a test and to look at what reached the server."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from chat import errors
from chat.completion import Completion, Piece, Prompt, Text, Thought, Usage
from chat.gemini import GeminiModel
from chat.gemini_config import Config

PATIENCE_S = 20.0


@dataclass
class Heard:
    """All that came of one prompt."""

    pieces: list[Piece]
    error: errors.GeminiError | None

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, Text))

    @property
    def thoughts(self) -> str:
        return "".join(
            piece.text for piece in self.pieces if isinstance(piece, Thought)
        )

    @property
    def completion(self) -> Completion:
        """The one Completion, which came last."""
        assert [type(piece) for piece in self.pieces].count(Completion) == 1
        last = self.pieces[-1]
        assert isinstance(last, Completion)
        return last

    @property
    def usage(self) -> Usage:
        usage = self.error.usage if self.error else self.completion.usage
        assert usage is not None
        return usage


@asynccontextmanager
async def model_at(url: str, **options: Any) -> AsyncIterator[GeminiModel]:
    """A model of its own for one test, without retries unless it asks for them."""
    config = Config(api_key="local-key-1234", base_url=url, max_retries=0)
    model = GeminiModel(replace(config, **options))
    model.warm()
    try:
        yield model
    finally:
        await model.close()


def mark() -> str:
    """A word by which a test finds its own requests."""
    return f"mark-{uuid.uuid4().hex}"


def prompt(text: str, **options: Any) -> Prompt:
    """A prompt of one user message."""
    contents = [{"role": "user", "parts": [{"text": text}]}]
    return Prompt(model="gemini-3.8-flash", contents=contents, **options)


def interaction(text: str, **options: Any) -> Prompt:
    """The same, to be kept by the provider."""
    return prompt(text, is_interaction=True, **options)


async def hear(model: GeminiModel, asked: Prompt | str) -> Heard:
    """Read an answer to its end, good or bad."""
    heard = Heard([], None)
    stream = model.stream(prompt(asked) if isinstance(asked, str) else asked)
    try:
        async for piece in stream:
            heard.pieces.append(piece)
    except errors.GeminiError as error:
        heard.error = error
    return heard


async def requests_with(url: str, mark: str) -> list[dict[str, Any]]:
    """The local server's recent generation requests that hold a text."""
    async with httpx2.AsyncClient() as client:
        listed = await client.get(f"{url}/_local/requests")
    return [entry for entry in listed.json() if mark in json.dumps(entry["body"])]


async def requests_to(url: str, interaction_id: str | None) -> list[dict[str, Any]]:
    """The local server's recent requests for one interaction."""
    assert interaction_id
    async with httpx2.AsyncClient() as client:
        listed = await client.get(f"{url}/_local/requests")
    return [entry for entry in listed.json() if interaction_id in entry["path"]]


async def eventually(
    url: str, mark: str, is_so: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Wait until the newest request with this mark is so; return it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await requests_with(url, mark)
            if found and is_so(found[-1]):
                return found[-1]
            await asyncio.sleep(0.02)


class Upstream:
    """A server of one's own that plays back bytes; one request per played answer."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.connection_count = 0
        self.url = ""


@asynccontextmanager
async def playing(*answers: bytes) -> AsyncIterator[Upstream]:
    """Serve these answers one after the other, then the last again and again."""
    upstream = Upstream()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connection_count += 1
        writers.append(writer)
        async for request in _requests(reader):
            upstream.requests.append(request)
            played = answers[min(len(upstream.requests), len(answers)) - 1]
            writer.write(played)
            await writer.drain()
            if b"Connection: close" in played:
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield upstream
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


def event(chunk: object) -> bytes:
    """One chunk as a server-sent event."""
    return b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n"


def said(text: str, finish_reason: str = "STOP") -> dict[str, Any]:
    """A chunk with this text."""
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}]}}
    return {"candidates": [candidate | {"finishReason": finish_reason}]}


def events(*chunks: object) -> bytes:
    """A whole answer of these chunks on a connection that stays open."""
    body = b"".join(event(chunk) for chunk in chunks)
    return reply("200 OK", body, "text/event-stream", f"Content-Length: {len(body)}")


def told(*told: dict[str, Any] | str) -> bytes:
    """Events of an interaction, numbered from 1."""
    body = b""
    for number, one in enumerate(told, 1):
        data = (
            one
            if isinstance(one, str)
            else json.dumps(one | {"event_id": f"e{number}"})
        )
        body += f"data: {data}\n\n".encode()
    return body


def created(interaction_id: str = "v1_played") -> dict[str, Any]:
    """The first event."""
    state = {"id": interaction_id, "status": "in_progress"}
    return {"event_type": "interaction.created", "interaction": state}


def spoken(text: str) -> dict[str, Any]:
    """An event with text."""
    delta = {"type": "text", "text": text}
    return {"event_type": "step.delta", "index": 0, "delta": delta}


def completed(status: str = "completed", **more: Any) -> dict[str, Any]:
    """The last event."""
    state = {"id": "v1_played", "status": status, **more}
    return {"event_type": "interaction.completed", "interaction": state}


def streamed(body: bytes, *, missing_bytes: int = 0) -> bytes:
    """An event stream; with missing bytes the connection breaks before its end."""
    length = f"Content-Length: {len(body) + missing_bytes}"
    ending = ["Connection: close"] if missing_bytes else []
    return reply("200 OK", body, "text/event-stream", length, *ending)


def reply(status: str, body: bytes, kind: str, *headers: str) -> bytes:
    """An HTTP response; without a Content-Length it ends with the connection."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers]
    if not any(header.startswith("Content-Length") for header in headers):
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _requests(reader: asyncio.StreamReader) -> AsyncGenerator[str, None]:
    while True:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return
        found = re.search(r"(?i)content-length: (\d+)", head)
        length = int(found[1]) if found else 0
        yield head + (await reader.readexactly(length)).decode()
