"""gunicorn's worker, told of a shutdown before its connections are waited for."""

import asyncio
import logging.config
import os
import signal
import threading
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.workers.gasgi import ASGIWorker

from monitoring import logs
from oracle_site import env

_ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
_EXIT_S = 2.5


def hold_ending() -> None:
    """Let what asks this process to end wait, and so in one that is forked now.

    A new worker would take it for the master's, and lose it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def hear_ending() -> None:
    """Let it through again, also what has come meanwhile."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


class Logger(GunicornLogger):  # type: ignore[misc]
    """gunicorn's own words, also those of its master, as lines like all others."""

    def setup(self, cfg: Any) -> None:
        """Take the place of its handlers; how much it says stays its own setting."""
        super().setup(cfg)
        words = ("development", "production")
        where = env.choice("ENVIRONMENT", default="development", of=words)
        secrets = [env.secret("SECRET_KEY"), env.secret("GEMINI_API_KEY")]
        config = logs.config(
            level="INFO", is_json=where == "production", secrets=secrets
        )
        logging.config.dictConfig(config)


class Worker(ASGIWorker):  # type: ignore[misc]
    """An ASGI worker that drains the running answers.

    gunicorn waits for open connections first and runs the application's own shutdown
    last, when the master may be about to kill it. The drain has to begin with the
    signal.
    """

    lifespan: Any

    def init_process(self) -> None:
        """Let nothing that this process says escape the log's form and redaction."""
        logs.catch_strays()
        super().init_process()

    def init_signals(self) -> None:
        """End at once when asked while the application is imported: nothing has begun.

        The loop hears signals only as it runs. What came before would be lost, and the
        worker serve until it is killed.
        """
        super().init_signals()
        for each in _ENDING:
            signal.signal(each, lambda *_: os._exit(0))
        hear_ending()

    def run(self) -> None:
        """Serve, then end, also when threads hang in a database that does not answer.

        Python waits for an executor's threads without limit.
        """
        super().run()
        end = threading.Timer(_EXIT_S, os._exit, [0])
        end.daemon = True
        end.start()

    def handle_exit_signal(self) -> None:
        """Begin the drain at SIGTERM, which a reload sends too."""
        from oracle_site import lifespan

        lifespan.begin_drain()
        super().handle_exit_signal()

    async def _serve(self) -> None:
        """Hear from the running loop, from now on, when to end."""
        self.loop.add_signal_handler(signal.SIGTERM, self.handle_exit_signal)
        self.loop.add_signal_handler(signal.SIGINT, self.handle_quit_signal)
        self.loop.add_signal_handler(signal.SIGQUIT, self.handle_quit_signal)
        await super()._serve()

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
