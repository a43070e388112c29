"""Keeps this process's sessions as many as the table of all sessions allows."""

import asyncio

import structlog

from chat import database, registrations, sessions
from chat.background import detached
from chat.errors import DatabaseBusy
from chat.sessions import Session

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 5.0


class SessionKeeper:
    """Puts sessions into the pool and takes out those that were closed elsewhere.

    A closed one is never used, even before: each use asks the table. This gives its
    memory back.
    """

    def __init__(self) -> None:
        self._sweeper: asyncio.Task[None] | None = None

    def keep(self, session: Session) -> None:
        """Keep a session whose registration is stored."""
        sessions.pool().keep(session)
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = detached(self._sweep_while_live())

    async def _sweep_while_live(self) -> None:
        while len(sessions.pool()):
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await sweep()
            except DatabaseBusy:
                log.warning("sessions.sweep_failed")


async def sweep() -> int:
    """Forget the sessions whose registration is gone; return how many.

    Raises: DatabaseBusy.
    """
    seen = sessions.pool().all()
    held = await database.read(registrations.held_here)
    return sessions.pool().drop_unless(held, seen=seen)
