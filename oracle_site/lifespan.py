"""What a web process does when it starts and when it is told to end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from chat import database, gemini, generations, records, registrations
from chat.errors import DatabaseBusy
from monitoring import processes
from oracle_site import flusher, log_level, status_watch, watchdog

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable

log = structlog.get_logger(__name__)
_LOOK_EVERY_S = 0.1
# gunicorn gives a start 30 s, then it halts the whole site.
_TIDY_S = 15.0
# What is left then, the next start does.
_LEAVE_S = 5.0
_is_draining = False
_request_count = 0


async def handle(receive: "ASGIReceiveCallable", send: "ASGISendCallable") -> None:
    """Speak ASGI's lifespan protocol."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await startup()
            await send({"type": "lifespan.startup.complete"})
        else:
            await shutdown()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def startup() -> None:
    """Load the model's client, and tidy up as far as the database lets us."""
    flusher.start()
    log_level.follow()
    status_watch.follow()
    watchdog.start()
    await asyncio.to_thread(gemini.model().warm)
    await tidy_up()


async def tidy_up() -> None:
    """End what an earlier run has left behind: its answers, and its sessions.

    What fails or takes long is left to beat, which does the same: a process that does
    not start ends all the others.
    """
    try:
        async with asyncio.timeout(_TIDY_S):
            reaped = await database.write(records.reap)
            await database.write(registrations.close_orphans)
            close_old = partial(registrations.clean_up_on_startup, processes.parent())
            closed = await database.write(close_old)
    except Exception:
        log.warning("startup.reap_failed", exc_info=True)
    else:
        log.info("startup.ready", reaped=reaped, sessions_closed=closed)


@contextmanager
def request() -> Iterator[None]:
    """Count a request for as long as it is being answered."""
    global _request_count  # noqa: PLW0603 - one per process
    _request_count += 1
    try:
        yield
    finally:
        _request_count -= 1


def begin_drain() -> None:
    """Let the running answers finish within `DRAIN_S`; then take no new ones."""
    global _is_draining  # noqa: PLW0603 - one per process
    if not _is_draining:
        _is_draining = True
        generations.engine().close_in(settings.DRAIN_S)


def is_draining() -> bool:
    """Tell whether this process is ending and should get nothing new."""
    return _is_draining


async def drained() -> None:
    """Return when the answers have ended, at the latest soon after `DRAIN_S`."""
    begin_drain()
    await generations.engine().ended()


async def quiet() -> None:
    """Return when the answers have ended and no request is being answered."""
    await drained()
    while _request_count:
        await asyncio.sleep(_LOOK_EVERY_S)


async def shutdown() -> None:
    """Let go of sessions, model and database when the answers have ended."""
    await watchdog.stop()
    await drained()
    try:
        async with asyncio.timeout(_LEAVE_S):
            await database.write(registrations.close_here)
    except (DatabaseBusy, TimeoutError):
        log.warning("shutdown.sessions_left")
    await flusher.stop()
    await gemini.model().close()
    await asyncio.to_thread(database.close)
    await asyncio.to_thread(log_level.leave)
    await asyncio.to_thread(status_watch.leave)
