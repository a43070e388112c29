"""Work of a process that no request owns."""

import asyncio
import contextvars
from typing import TypeVar

T = TypeVar("T")


def detached(work: "asyncio._CoroutineLike[T]") -> asyncio.Task[T]:
    """Run a coroutine that no request owns.

    The empty context keeps Django from binding it to the request's own thread, which
    is gone once the response is sent.
    """
    return asyncio.create_task(work, context=contextvars.Context())
