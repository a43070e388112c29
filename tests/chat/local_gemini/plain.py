"""Talks to the server without any client library, where those hide things."""

import json
import socket
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

_PAUSE_S = 0.02


def call(
    method: str, url: str, payload: Any = None, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """Send a request; return status, decoded JSON and headers."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    request = urllib.request.Request(
        url,
        data=None if payload is None else data,
        headers={name.replace("_", "-"): text for name, text in headers.items()},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response), dict(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), dict(error.headers)


def says(text: str) -> dict[str, Any]:
    """Return a generateContent request with one user message."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def exchange(base_url: str, path: str, payload: Any, *, version: str = "v1") -> bytes:
    """Send a POST and return all bytes of the answer, until the connection ends."""
    with connect(base_url, f"/{version}{path}", payload) as connection:
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def dial(base_url: str) -> socket.socket:
    """Return a connection on which nothing was said yet."""
    address = urlsplit(base_url)
    return socket.create_connection(
        (str(address.hostname), address.port or 0), timeout=10
    )


def connect(
    base_url: str, path: str, payload: Any, *, method: str = "POST"
) -> socket.socket:
    """Send a request and return the connection."""
    connection = dial(base_url)
    body = json.dumps(payload).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return connection


def last_request(base_url: str) -> dict[str, Any]:
    """Return the newest request in the server's journal."""
    entries: list[dict[str, Any]] = call("GET", f"{base_url}/_local/requests")[1]
    return entries[-1]


def ended_request(base_url: str) -> dict[str, Any]:
    """Return the newest request once it has ended, at most 5 s later."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        entry = last_request(base_url)
        if entry["ended_at"]:
            return entry
        time.sleep(_PAUSE_S)
    raise AssertionError("the request did not end")
