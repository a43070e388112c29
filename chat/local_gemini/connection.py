"""One HTTP/1.1 connection: h11 on a bare asyncio protocol, not ASGI.

ASGI cannot reset a connection or split a character between two writes, and a protocol
hears of a lost client at once.
"""

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

logger = logging.getLogger(__name__)

_REASONS = {item.value: item.phrase.encode("ascii") for item in HTTPStatus}
MAX_BODY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """A complete request; header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


def json_bytes(payload: Any) -> bytes:
    """Encode as compact UTF-8 JSON; a lone surrogate becomes a question mark."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


class Exchange:
    """A request and the means to answer it, soundly or not."""

    def __init__(self, request: Request, connection: "Connection") -> None:
        self.request = request
        self.is_started = False
        self.write_count = 0
        self._connection = connection
        self._is_raw = False

    async def send(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = "application/json; charset=UTF-8",
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Answer with a whole body."""
        self.start(
            content_type,
            status=status,
            headers=[("Content-Length", str(len(body))), *headers],
        )
        await self.write(body)
        self.finish()

    async def send_json(
        self, status: int, payload: Any, *, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Answer with JSON."""
        await self.send(status, json_bytes(payload), headers=headers)

    def start(
        self,
        content_type: str,
        *,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Send the head of the answer; chunked unless `Content-Length` is given."""
        self.is_started = True
        self._connection.send(
            h11.Response(
                status_code=status,
                reason=_REASONS.get(status, b""),
                headers=[("Content-Type", content_type), *headers],
            )
        )

    def start_close_delimited(self, content_type: str) -> None:
        """Send a head whose body ends where the connection ends."""
        self.is_started = True
        self._is_raw = True
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n"
        self._connection.send_raw(f"{head}Connection: close\r\n\r\n".encode("ascii"))

    async def write(self, data: bytes) -> None:
        """Send a part of the body, waiting while the client reads too slowly."""
        if self.request.method == "HEAD":
            return
        self.write_count += 1
        if self._is_raw:
            self._connection.send_raw(data)
        else:
            self._connection.send(h11.Data(data=data))
        await self._connection.drained()

    def finish(self) -> None:
        """End the body as announced."""
        if self._is_raw:
            self._connection.close()
        else:
            self._connection.send(h11.EndOfMessage())

    def cut(self) -> None:
        """Close without ending the body; what was written still arrives."""
        self._connection.close()

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        self._connection.reset()


Handler = Callable[[Exchange], Awaitable[None]]


class Connection(asyncio.Protocol):
    """Reads requests and answers them one after the other."""

    def __init__(self, handler: Handler, open_connections: set["Connection"]) -> None:
        self._handler = handler
        self._open_connections = open_connections
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
        self._body = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._held_back = b""
        self._may_write = asyncio.Event()
        self._may_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast(asyncio.Transport, transport)
        self._open_connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the running answer: nobody reads it any more."""
        self._open_connections.discard(self)
        self._may_write.set()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """Make writers wait."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        """Take in bytes of a request."""
        self._h11.receive_data(data)
        self._advance()

    def send(self, event: h11.Event) -> None:
        """Send an HTTP event; a head goes out together with what follows it."""
        data = self._h11.send(event) or b""
        if isinstance(event, h11.Response):
            self._held_back = data
        else:
            self.send_raw(data)

    def send_raw(self, data: bytes) -> None:
        """Send bytes past the HTTP machinery."""
        if self._held_back or data:
            self._transport.write(self._held_back + data)
            self._held_back = b""

    async def drained(self) -> None:
        """Wait until the client has read enough."""
        if not self._may_write.is_set():
            await self._may_write.wait()

    def close(self) -> None:
        """Close when what was written is out."""
        self.send_raw(b"")
        self._transport.close()

    def reset(self) -> None:
        """Close at once, with RST instead of FIN."""
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _advance(self) -> None:
        try:
            self._read_events()
        except h11.RemoteProtocolError:
            self._refuse(400, "Bad Request")

    def _read_events(self) -> None:
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > MAX_BODY_BYTES:
                    self._refuse(413, "Request payload too large")
                    return
            elif isinstance(event, h11.EndOfMessage):
                self._task = asyncio.create_task(self._answer())
            elif isinstance(event, h11.ConnectionClosed):
                self._transport.close()
                return

    def _begin(self, head: h11.Request) -> None:
        self._head = head
        self._body = bytearray()
        if self._h11.they_are_waiting_for_100_continue:
            self.send(h11.InformationalResponse(status_code=100, headers=[]))

    async def _answer(self) -> None:
        exchange = Exchange(self._request(), self)
        try:
            await self._handler(exchange)
        except Exception:
            logger.exception("the local server failed on %s", exchange.request.path)
            self._transport.abort()
            return
        finally:
            self._task = None
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            self._advance()
        else:
            self._transport.close()

    def _request(self) -> Request:
        target = urlsplit(self._head.target.decode("ascii", "replace"))
        return Request(
            method=self._head.method.decode("ascii"),
            path=unquote(target.path),
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            headers={
                name.decode("ascii"): value.decode("latin-1")
                for name, value in self._head.headers
            },
            body=bytes(self._body),
        )

    def _refuse(self, status: int, message: str) -> None:
        self._transport.write(
            f"HTTP/1.1 {status} {message}\r\nConnection: close\r\n"
            "Content-Length: 0\r\n\r\n".encode("ascii")
        )
        self._transport.close()
