"""The connections to the model: what they say of a peer that closes, stalls or lies."""

import asyncio
import errno
import socket
import ssl
import struct
import subprocess
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpcore2
import httpx2
import pytest
import uvloop

from chat import connections
from chat.dialling import HEAD_START_S, Backend
from chat.sockets import Stream
from tests.chat.gemini_calls import events, said

HELLO = events(said("Hello"))
MANY_BYTES = 32 * 1024 * 1024
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy")
Handler = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@pytest.fixture(
    params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy],
    ids=["asyncio", "uvloop"],
)
def event_loop_policy(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CA of our own and a certificate of it for `localhost`."""
    folder = tmp_path_factory.mktemp("certificates")
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
async def serving(handler: Handler, **options: Any) -> AsyncIterator[int]:
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

    server = await asyncio.start_server(serve, "127.0.0.1", 0, **options)
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


def reset(sock: Any) -> None:
    """Let the close of this socket be a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def pool() -> httpx2.AsyncClient:
    return connections.pool(max_connections=5, connect_timeout_s=5)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.005)


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port of ::1 that completes no further connection."""
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket(socket.AF_INET6) for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            assert client.connect_ex(address) in {0, errno.EINPROGRESS}
        yield address[1]
        for client in waiting:
            client.close()


async def test_a_certificate_of_a_known_authority_is_trusted(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))

    async with serving(hello, ssl=encryption(certificates)) as port, pool() as client:
        for _ in range(3):
            response = await client.get(f"https://localhost:{port}/")
            assert "Hello" in response.text


@pytest.mark.parametrize(
    ("host", "knows_authority", "complaint"),
    [("localhost", False, "verify failed"), ("127.0.0.1", True, "mismatch")],
)
async def test_no_other_certificate_is_trusted(
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    *,
    knows_authority: bool,
    complaint: str,
) -> None:
    if knows_authority:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))

    async with serving(hello, ssl=encryption(certificates)) as port, pool() as client:
        with pytest.raises(httpx2.ConnectError, match=complaint):
            await client.get(f"https://{host}:{port}/")


async def test_a_handshake_that_breaks_is_a_failed_connection() -> None:
    context = ssl.create_default_context()

    async with connected(silence) as stream:
        with pytest.raises(httpcore2.ConnectTimeout):
            await stream.start_tls(context, "localhost", timeout=0.1)
    async with connected(echo) as stream:
        with pytest.raises(httpcore2.ConnectError):
            await stream.start_tls(context, "localhost", timeout=5)
    async with serving(lambda *_: asyncio.sleep(0)) as port:
        stream = await Backend().connect_tcp("127.0.0.1", port)
        await until(lambda: bool(stream.get_extra_info("is_readable")))
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
            await until(lambda at=stream: at.get_extra_info("is_readable"))


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
        await asyncio.sleep(0.4)
        try:
            while await reader.read(1_000_000):
                pass
        finally:
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


async def test_a_connection_that_is_not_made_says_why(full_port: int) -> None:
    with pytest.raises(httpcore2.ConnectTimeout):
        await Backend().connect_tcp("::1", full_port, timeout=0.1)
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with pytest.raises(
            httpcore2.ConnectError, match=r"refused|Connect call failed"
        ):
            await Backend().connect_tcp("127.0.0.1", unheard.getsockname()[1])
    with pytest.raises(NotImplementedError):
        await Backend().connect_unix_socket("/nowhere")


async def test_a_dead_first_address_costs_a_moment_only(full_port: int) -> None:
    found = socket.getaddrinfo("localhost", full_port, type=socket.SOCK_STREAM)
    if found[0][0] != socket.AF_INET6 or len(found) < 2:
        pytest.skip("localhost is no IPv6 address first here")
    server = await asyncio.start_server(echo, "127.0.0.1", full_port)
    started_s = time.monotonic()

    stream = await Backend().connect_tcp("localhost", full_port, timeout=10)

    assert HEAD_START_S * 0.9 < time.monotonic() - started_s < 5
    assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
    await stream.aclose()
    server.close()


async def test_the_options_of_a_connection_are_honoured() -> None:
    keep_alive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    async with serving(echo) as port:
        stream = await Backend().connect_tcp(
            "127.0.0.1", port, local_address="127.0.0.2", socket_options=[keep_alive]
        )
        own = stream.get_extra_info("socket")

        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert own.getsockopt(*keep_alive[:2])
        assert stream.get_extra_info("client_addr")[0] == "127.0.0.2"
        await stream.aclose()
        with pytest.raises(httpcore2.ConnectError):
            await Backend().connect_tcp("127.0.0.1", port, socket_options=[(-1, 1, 1)])


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
