"""Work of a process that no request owns."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import TypeVar

import structlog

T = TypeVar("T")


def detached(work: "asyncio._CoroutineLike[T]") -> asyncio.Task[T]:
    """Run a coroutine that no request owns.

    The empty context keeps Django from binding it to the request's own thread, which
    is gone once the response is sent.
    """
    return asyncio.create_task(work, context=contextvars.Context())


def carried(work: "asyncio._CoroutineLike[T]") -> asyncio.Task[T]:
    """Run a coroutine that outlives its request, whose id its log lines keep.

    Everything else of the request's context stays behind, as in `detached`.
    """
    context = contextvars.Context()
    context.run(structlog.contextvars.bind_contextvars, **known())
    return asyncio.create_task(work, context=context)


def named(run: Callable[[], T]) -> Callable[[], T]:
    """Return a function whose log lines have this moment's request id.

    For another thread: the context does not go along.
    """
    carry = known()

    def running() -> T:
        with structlog.contextvars.bound_contextvars(**carry):
            return run()

    return running if carry else run


def known() -> dict[str, str]:
    """Return what the log lines of this moment say of their request."""
    return structlog.contextvars.get_contextvars()
