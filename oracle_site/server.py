"""gunicorn's worker, told of a shutdown before its connections are waited for."""

import asyncio
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker


class Worker(ASGIWorker):  # type: ignore[misc]
    """An ASGI worker that drains the running answers.

    gunicorn waits for open connections first and runs the application's own shutdown
    last, when the master may be about to kill it. The drain has to begin with the
    signal.
    """

    lifespan: Any

    def handle_exit_signal(self) -> None:
        """Begin the drain at SIGTERM, which a reload sends too."""
        from oracle_site import lifespan

        lifespan.begin_drain()
        super().handle_exit_signal()

    async def _shutdown(self) -> None:
        """Wait for the answers, too, before gunicorn gives our shutdown 30 s."""
        from oracle_site import lifespan

        manager, self.lifespan = self.lifespan, None
        leaving = asyncio.create_task(self._leave_idle_connections())
        await super()._shutdown()
        leaving.cancel()
        await lifespan.drained()
        if manager is not None:
            await manager.shutdown()

    async def _leave_idle_connections(self) -> None:
        """End gunicorn's wait when only browsers' spare connections are left."""
        from oracle_site import lifespan

        await lifespan.quiet()
        self._quick_shutdown = True
