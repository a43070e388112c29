"""The server's entry point: bodies, static files, and what is no HTTP."""

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest


def _raw(url: str, request: bytes) -> bytes:
    """Send bytes and return what comes back until the other side is silent."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.settimeout(5)
        connection.sendall(request)
        return connection.recv(65_536)


def test_a_body_without_a_length_is_cut_off_at_the_limit(live_site: str) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b"a" * 65_536

    try:
        answered = httpx2.post(f"{live_site}/api/v1/sessions/", content=endless())
    except httpx2.TransportError:
        assert sent < 50_000_000  # refused in the middle of sending
    else:
        assert answered.status_code == 413


@pytest.mark.parametrize("path", ["/", "/c/new", "/login", "/admin/login/", "/no"])
def test_no_address_takes_a_body_over_the_limit(live_site: str, path: str) -> None:
    refused = httpx2.post(f"{live_site}{path}", content=b"a" * 600_000)

    assert refused.status_code == 413
    assert refused.headers["connection"] == "close"
    assert refused.json()["error_code"] == "PAYLOAD_TOO_LARGE"


def test_static_files_are_served_by_name_for_good(live_site: str) -> None:
    page = httpx2.get(f"{live_site}/").text
    found = re.search(r'href="(/static/css/[^"]+\.css)"', page)
    assert found is not None

    sheet = httpx2.get(live_site + found[1])

    assert sheet.status_code == 200
    assert sheet.headers["content-type"].startswith("text/css")
    assert "immutable" in sheet.headers["cache-control"]
    assert "access-control-allow-origin" not in sheet.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../oracle.sqlite3",
        "/static/%2e%2e/oracle.sqlite3",
        "/static/%2e%2e%2foracle.sqlite3",
        "/static/..%5coracle.sqlite3",
        "/static//etc/passwd",
        "/oracle.sqlite3",
        "/.env",
        "/secret_key",
    ],
)
def test_no_other_file_can_be_fetched(live_site: str, path: str) -> None:
    host = urlsplit(live_site).netloc
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

    status = _raw(live_site, request.encode()).split(b" ", 2)[1]

    assert status in {b"400", b"404"}


def test_a_websocket_is_refused(live_site: str) -> None:
    host = urlsplit(live_site).netloc
    request = (
        f"GET /api/v1/sessions/ HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )

    answered = _raw(live_site, request.encode())

    assert b" 101 " not in answered.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "request_line",
    [b"GET / HTTP/9.9", b"GET /\x00 HTTP/1.1", b"\x16\x03\x01\x02\x00", b"GET"],
)
def test_what_is_no_http_harms_nobody(live_site: str, request_line: bytes) -> None:
    _raw(live_site, request_line + b"\r\nHost: localhost\r\n\r\n")

    assert httpx2.get(f"{live_site}/health").status_code == 200
