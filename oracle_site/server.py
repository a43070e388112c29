"""gunicorn's worker, told of a shutdown before its connections are waited for."""

from gunicorn.workers.gasgi import ASGIWorker


class Worker(ASGIWorker):  # type: ignore[misc]
    """An ASGI worker that drains the running answers.

    gunicorn waits for open connections first and runs the application's own shutdown
    last, when the master may be about to kill it. The drain has to begin with the
    signal.
    """

    def handle_exit_signal(self) -> None:
        """Begin the drain at SIGTERM, which a reload sends too."""
        from oracle_site import lifespan

        lifespan.begin_drain()
        super().handle_exit_signal()

    async def _shutdown(self) -> None:
        """Wait for the answers, too, before gunicorn gives our shutdown 30 s."""
        from oracle_site import lifespan

        manager, self.lifespan = self.lifespan, None
        await super()._shutdown()
        await lifespan.drained()
        if manager is not None:
            await manager.shutdown()
