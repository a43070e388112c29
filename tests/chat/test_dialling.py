"""How connections to the model are made, and which are refused."""

import asyncio
import errno
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import pytest

from chat.dialling import HEAD_START_S, Backend
from tests.chat.peers import (  # noqa: F401 - one is a fixture
    echo,
    encryption,
    event_loop_policy,
    hello,
    make_certificates,
    on_both_loops,
    pool,
    serving,
)

pytestmark = on_both_loops


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port of 127.0.0.1 that completes no further connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]
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


async def test_a_connection_that_is_not_made_says_why(full_port: int) -> None:
    with pytest.raises(httpcore2.ConnectTimeout):
        await Backend().connect_tcp("127.0.0.1", full_port, timeout=0.1)
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with pytest.raises(
            httpcore2.ConnectError, match=r"refused|Connect call failed"
        ):
            await Backend().connect_tcp("127.0.0.1", unheard.getsockname()[1])
    with pytest.raises(NotImplementedError):
        await Backend().connect_unix_socket("/nowhere")


async def test_a_dead_first_address_costs_a_moment_only(
    full_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(*_: object, **__: object) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, full_port))
            for address in ("127.0.0.1", "127.0.0.2")
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    started_s = time.monotonic()

    async with serving(echo, "127.0.0.2", full_port):
        stream = await Backend().connect_tcp("two.example", full_port, timeout=10)
        taken_s = time.monotonic() - started_s
        reached = stream.get_extra_info("server_addr")[0]
        await stream.aclose()

    assert HEAD_START_S * 0.9 < taken_s < 5
    assert reached == "127.0.0.2"


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
