"""Peers of our own for the tests of connections: servers that close, stall or lie."""

import asyncio
import ssl
import subprocess
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvloop
from httpcore2 import AsyncNetworkStream

from chat import connections
from chat.dialling import Backend
from chat.sockets import Stream
from tests.chat.gemini_calls import events, said

HELLO = events(said("Hello"))
Handler = Callable[[StreamReader, StreamWriter], Awaitable[None]]
on_both_loops = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy")


@pytest.fixture(
    params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy],
    ids=["asyncio", "uvloop"],
)
def event_loop_policy(request: pytest.FixtureRequest) -> Any:
    return request.param()


def make_certificates(folder: Path) -> Path:
    """Put a CA of our own and a certificate of it for `localhost` into a folder."""
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    ca = "-keyout ca.key -out ca.pem -subj /CN=ours -addext keyUsage=keyCertSign"
    leaf = (
        "-keyout key.pem -out cert.pem -subj /CN=x -CA ca.pem -CAkey ca.key"
        " -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE"
    )
    for options in (ca, leaf):
        command = f"{request} {options}".split()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@asynccontextmanager
async def serving(
    handler: Handler, host: str = "127.0.0.1", port: int = 0, **options: Any
) -> AsyncIterator[int]:
    """Serve each connection with this; close it when the handler is done."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, host, port, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def connected(
    handler: Handler, folder: Path | None = None
) -> AsyncIterator[Stream]:
    """A connection to such a server, encrypted when there are certificates."""
    async with serving(handler, ssl=folder and encryption(folder)) as port:
        stream = await Backend().connect_tcp("127.0.0.1", port)
        if folder:
            trusting = ssl.create_default_context(cafile=folder / "ca.pem")
            stream = await stream.start_tls(trusting, "localhost", timeout=5)
        try:
            yield stream
        finally:
            await stream.aclose()


def encryption(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def silence(reader: StreamReader, writer: StreamWriter) -> None:
    await asyncio.Event().wait()


async def echo(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)


async def hello(reader: StreamReader, writer: StreamWriter) -> None:
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(HELLO)


def pool() -> httpx2.AsyncClient:
    return connections.pool(max_connections=5, connect_timeout_s=5)


async def until_readable(stream: AsyncNetworkStream) -> None:
    async with asyncio.timeout(5):
        while not stream.get_extra_info("is_readable"):
            await asyncio.sleep(0.005)
