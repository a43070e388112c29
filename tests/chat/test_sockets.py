"""The connections to the model: what they say of a peer that closes, stalls or lies."""

import asyncio
import socket
import ssl
import struct
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpcore2
import httpx2
import pytest

from chat import connections
from chat.dialling import Backend
from chat.sockets import Stream
from tests.chat.peers import (  # noqa: F401 - one is a fixture
    HELLO,
    connected,
    echo,
    event_loop_policy,
    hello,
    make_certificates,
    on_both_loops,
    pool,
    serving,
    silence,
    until_readable,
)

pytestmark = on_both_loops
MANY_BYTES = 32 * 1024 * 1024


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


async def leave(reader: StreamReader, writer: StreamWriter) -> None:
    """Say nothing and close."""


def reset(sock: Any) -> None:
    """Let the close of this socket be a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_a_handshake_that_breaks_is_a_failed_connection() -> None:
    context = ssl.create_default_context()

    async with connected(silence) as stream:
        with pytest.raises(httpcore2.ConnectTimeout):
            await stream.start_tls(context, "localhost", timeout=0.1)
    async with connected(echo) as stream:
        with pytest.raises(httpcore2.ConnectError):
            await stream.start_tls(context, "localhost", timeout=5)
    async with serving(leave) as port:
        stream = await Backend().connect_tcp("127.0.0.1", port)
        await until_readable(stream)
        with pytest.raises(httpcore2.ConnectError):
            await stream.start_tls(context, "localhost", timeout=5)


async def test_a_connection_that_the_peer_closed_is_not_used_again() -> None:
    async def once(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HELLO)
        await writer.drain()

    async with serving(once) as port, pool() as client:
        for _ in range(3):
            response = await client.get(f"http://127.0.0.1:{port}/")
            stream = response.extensions["network_stream"]
            assert isinstance(stream, Stream)
            await until_readable(stream)


@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_slow_reader_holds_the_peer_up_and_loses_nothing(
    certificates: Path, *, encrypted: bool
) -> None:
    sent_bytes = 0

    async def flood(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal sent_bytes
        for number in range(MANY_BYTES // 65_536):
            writer.write(bytes([number % 251]) * 65_536)
            await writer.drain()
            sent_bytes += 65_536
        writer.close()
        await writer.wait_closed()

    async with connected(flood, certificates if encrypted else None) as stream:
        await asyncio.sleep(0.3)
        assert 0 < sent_bytes < MANY_BYTES / 2
        heard = bytearray()
        while data := await stream.read(65_536, timeout=5):
            heard += data

    assert len(heard) == MANY_BYTES
    assert all(heard[at] == at // 65_536 % 251 for at in range(0, MANY_BYTES, 4099))


@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_peer_that_does_not_read_ends_the_writer_s_patience(
    certificates: Path, *, encrypted: bool
) -> None:
    ended = asyncio.Event()

    async def ignore(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while True:
                writer.write(b"I am still here.")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            ended.set()

    async with connected(ignore, certificates if encrypted else None) as stream:
        with pytest.raises(httpcore2.WriteTimeout):
            await stream.write(bytes(MANY_BYTES), timeout=0.1)
        await stream.aclose()
        async with asyncio.timeout(3):
            await ended.wait()


async def test_a_read_that_waited_in_vain_can_be_tried_again() -> None:
    async with connected(echo) as stream:
        with pytest.raises(httpcore2.ReadTimeout):
            await stream.read(10, timeout=0.05)
        await stream.write(b"", timeout=1)
        await stream.write(b"Hello", timeout=1)

        assert await stream.read(2, timeout=5) == b"He"
        assert await stream.read(10, timeout=5) == b"llo"
        assert not stream.get_extra_info("is_readable")


async def test_a_reset_is_an_error_for_reader_and_writer() -> None:
    async def break_off(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(10)
        reset(writer.get_extra_info("socket"))

    async with connected(break_off) as stream:
        await stream.write(b"Hello")

        with pytest.raises(httpcore2.ReadError):
            await stream.read(10, timeout=5)
        with pytest.raises(httpcore2.WriteError):
            await stream.write(b"Hello")


async def test_a_cancelled_read_leaves_a_connection_that_can_be_closed() -> None:
    async with connected(echo) as stream:
        reading = asyncio.create_task(stream.read(10))
        await asyncio.sleep(0.02)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        reading = asyncio.create_task(stream.read(10))
        await asyncio.sleep(0.02)
        await stream.aclose()
        await stream.aclose()

        with pytest.raises(httpcore2.ReadError, match="closed here"):
            await reading
        with pytest.raises(httpcore2.WriteError):
            await stream.write(b"Hello")


async def test_a_proxy_of_the_environment_is_reached_in_the_library_s_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(hello) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        async with pool() as client:
            response = await client.get("http://elsewhere.example/")

    assert "Hello" in response.text
    assert not isinstance(response.extensions["network_stream"], Stream)


async def test_another_library_keeps_its_own_sockets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with httpx2.AsyncClient() as client:
        assert connections.use_own_sockets(client)
    other = SimpleNamespace(connect_tcp=lambda host, port, timeout, flags: None)
    for transport in (
        None,
        SimpleNamespace(_pool=SimpleNamespace(_network_backend=other)),
    ):
        unknown: Any = SimpleNamespace(_transport=transport)
        assert not connections.use_own_sockets(unknown)
    assert "another way" in caplog.text
