"""Server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

COMMENT = b": still here\n\n"
_MAX_DIGITS = 18


def event(name: str, data: Any, *, offset: int | None = None) -> bytes:
    """Encode one event; `offset` becomes its id, which a reader resumes from.

    The data is JSON, so no line break of the model's can end the frame.
    """
    head = f"id: {offset}\n" if offset is not None else ""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{head}event: {name}\ndata: {text}\n\n".encode()


def response(events: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """Answer with a stream that no proxy may keep or hold back."""
    return StreamingHttpResponse(
        events,
        content_type="text/event-stream; charset=utf-8",
        headers={
            "Cache-Control": "no-cache, no-transform",
            "X-Accel-Buffering": "no",
        },
    )


def last_offset(request: HttpRequest) -> int:
    """Return how many characters the reader already has.

    From `Last-Event-ID`, else from `?after=`; nonsense counts as nothing yet.
    """
    return natural(request.headers.get("Last-Event-ID") or request.GET.get("after", ""))


def natural(text: str) -> int:
    """Return a number that a client sent, 0 for anything else."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return int(text) if is_number else 0
