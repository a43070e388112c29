"""Writes what this web process has counted, about once a second, and at its end."""

import asyncio
from functools import partial

import structlog
from django.db import Error

from chat import conf, database
from chat.background import detached
from chat.errors import DatabaseBusy
from monitoring import asides, metrics, pending

log = structlog.get_logger(__name__)

_EVERY_S = 1.0
_task: asyncio.Task[None] | None = None


def start() -> None:
    """Flush from now on, on the running event loop."""
    global _task  # noqa: PLW0603 - one per process
    if _task is None or _task.done():
        _task = detached(_flush_for_good())


async def stop() -> None:
    """Flush once more and no longer."""
    global _task  # noqa: PLW0603 - one per process
    if _task is None:
        return
    _task.cancel()
    await asyncio.wait([_task])
    _task = None
    await flush()


async def flush() -> None:
    """Write what is kept, in one statement; keep it when the database is away."""
    if not pending.is_stirred():
        return
    try:
        is_counting = await asides.read(conf.TRACKING.get)
    except (Error, TimeoutError) as error:
        log.warning("flusher.failed", error=type(error).__name__)
        return
    taken = pending.take(is_counting=is_counting)
    if not taken:
        return
    try:
        # Not to be cancelled in between: nobody would know whether it was written.
        await asyncio.shield(_write(taken))
    except (Error, DatabaseBusy) as error:
        log.warning("flusher.failed", error=type(error).__name__)


async def _write(taken: dict[str, int]) -> None:
    try:
        await database.write(partial(metrics.count, **taken))
    except (Error, DatabaseBusy):
        pending.add(taken)
        raise


async def _flush_for_good() -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            await flush()
        except Exception:
            # Loud, but what is counted later must be written.
            log.exception("flusher.failed")
