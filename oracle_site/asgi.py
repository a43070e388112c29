"""The server's entry point: lifespan, static files, a limit on bodies, Django."""

import json
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oracle_site.settings")

import django
from django.conf import settings
from servestatic import ServeStaticASGI

django.setup(set_prefix=False)

from chat import problems  # noqa: E402 - needs Django's apps
from monitoring.middleware import request_id  # noqa: E402
from oracle_site import lifespan  # noqa: E402
from oracle_site.handler import Handler  # noqa: E402

if TYPE_CHECKING:
    from asgiref.typing import (
        ASGIReceiveCallable,
        ASGISendCallable,
        HTTPScope,
        Scope,
    )

# Each process's first visitor would wait for the URL map, and meet what is wrong in it.
import_module(settings.ROOT_URLCONF)
_static = ServeStaticASGI(
    Handler(),
    root=settings.STATIC_ROOT,
    prefix=settings.STATIC_URL,
    allow_all_origins=False,
    immutable_file_test=r"^.+\.[0-9a-f]{12}\..+$",
)


async def application(
    scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
) -> None:
    """Serve one connection event of the server."""
    if scope["type"] == "lifespan":
        await lifespan.handle(receive, send)
    elif scope["type"] == "http":
        with lifespan.request():
            await _answer(scope, receive, send)


async def _answer(
    scope: "HTTPScope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
) -> None:
    try:
        body = await _read_body(receive)
    except ConnectionAbortedError:
        return
    if body is None:
        await _refuse(scope, send)
    else:
        await _static(scope, _replay(body, receive), send)


async def _read_body(receive: "ASGIReceiveCallable") -> bytes | None:
    """Return the whole body, or None once it is over the limit.

    Django itself would write a body of any size to the disk before it looks, and take
    one that broke off in the middle for the whole.

    Raises: ConnectionAbortedError.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        part = message.get("body", b"")
        size += len(part)
        if size > settings.MAX_BODY_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: "ASGIReceiveCallable") -> Any:
    """Give the body that was read once, then the connection's own messages."""
    is_given = False

    async def replayed() -> Any:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _refuse(scope: "HTTPScope", send: "ASGISendCallable") -> None:
    given = dict(scope["headers"]).get(b"x-request-id", b"")
    known_as = request_id(given.decode("latin-1"))
    detail = (
        f"The request is over {settings.MAX_BODY_BYTES:,} bytes. "
        f"Send a shorter message."
    )
    body = json.dumps(
        problems.body(
            detail=detail,
            code="PAYLOAD_TOO_LARGE",
            path=scope["path"],
            request_id=known_as,
        )
    ).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        (b"x-request-id", known_as.encode()),
    ]
    await send(
        {
            "type": "http.response.start",
            "status": 413,
            "headers": headers,
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
