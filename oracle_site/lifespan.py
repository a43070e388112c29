"""What a web process does when it starts and when it is told to end."""

import asyncio
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from chat import database, gemini, generations, records
from chat.errors import DatabaseBusy

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable

log = structlog.get_logger(__name__)
_drain: asyncio.Task[None] | None = None


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
    """Load the model's client and end the answers of processes that died."""
    await asyncio.to_thread(gemini.model().warm)
    try:
        reaped = await database.write(records.reap)
    except DatabaseBusy:
        log.warning("startup.reap_failed")
    else:
        log.info("startup.ready", reaped=reaped)


def begin_drain() -> None:
    """Take no new answers and let the running ones finish within `DRAIN_S`."""
    global _drain  # noqa: PLW0603 - one per process
    if _drain is None:
        _drain = generations.detached(generations.engine().drain(settings.DRAIN_S))


async def shutdown() -> None:
    """Wait for the drain, then let go of the model and the database."""
    begin_drain()
    if _drain is not None:
        await _drain
    await gemini.model().close()
    await asyncio.to_thread(database.close)
