"""Stands in for the worker while no alert rule is evaluated: that it is gone is news.

Each web process looks now and then whether somebody evaluates, which is one small
query. One that finds nobody does so itself, on a thread that nothing waits for, and
goes on until it sees that somebody else has begun.
"""

import asyncio
import random
import threading
import time
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import Error, connections
from django.utils import timezone

from chat import conf
from chat.background import detached
from monitoring import asides
from monitoring.alerting import engine
from monitoring.channels import sending

log = structlog.get_logger(__name__)

_PERIODS = 3
_FIRST_LOOK_S, _LOOK_EVERY_S = 5.0, 30.0


class Watchdog:
    """What one process knows of it; it began at `began_s` of the monotonic clock.

    `pause_s` is how long it may wait until it looks again.
    """

    def __init__(self, *, began_s: float) -> None:
        self._began_s = began_s
        self._evaluated_at: datetime | None = None
        self._thread: threading.Thread | None = None
        self.pause_s = _FIRST_LOOK_S

    async def look(self) -> bool:
        """Stand in if nobody else evaluates; tell whether that has begun.

        Raises: django.db.Error, TimeoutError, when the database does not answer.
        """
        interval_s, evaluated_at = await asides.read(_read)
        self.pause_s = min(_LOOK_EVERY_S, interval_s)
        patience = timedelta(seconds=_PERIODS * interval_s)
        if time.monotonic() - self._began_s < patience.total_seconds():
            return False  # the others of a site that has just started need time, too
        now = timezone.now()
        if self._is_busy() or not self._is_ours(evaluated_at, now - patience, now):
            return False
        if self._evaluated_at is None:
            log.warning("watchdog.stands_in", last=evaluated_at)
        self._evaluated_at = now
        self._thread = threading.Thread(
            target=partial(_stand_in, now), name="oracle-watchdog", daemon=True
        )
        self._thread.start()
        return True

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _is_ours(
        self, evaluated_at: datetime | None, oldest: datetime, now: datetime
    ) -> bool:
        """Tell whether nobody else does it; a time far ahead is of a clock set back."""
        if evaluated_at is not None and evaluated_at == self._evaluated_at:
            return True
        is_recent = evaluated_at is not None and (
            oldest <= evaluated_at <= now + (now - oldest)
        )
        if is_recent and self._evaluated_at is not None:
            log.info("watchdog.stands_down")
            self._evaluated_at = None
        return not is_recent


_task: asyncio.Task[None] | None = None


def start() -> None:
    """Look from now on, on the running event loop."""
    global _task  # noqa: PLW0603 - one per process
    if _task is None or _task.done():
        _task = detached(_look_for_good(Watchdog(began_s=time.monotonic())))


async def stop() -> None:
    """Look no longer; what has begun ends by itself, or with the process."""
    global _task  # noqa: PLW0603 - one per process
    if _task is None:
        return
    _task.cancel()
    await asyncio.wait([_task])
    _task = None


def _read() -> tuple[int, datetime | None]:
    return conf.HEALTH_CHECK_INTERVAL.get(), engine.evaluated_at()


def _stand_in(now: datetime) -> None:
    try:
        engine.evaluate(now)
        sending.deliver(now)
    except Error as error:
        log.warning("watchdog.no_database", error=type(error).__name__)
    except Exception:
        log.exception("watchdog.failed")
    finally:
        connections.close_all()


async def _look_for_good(watchdog: Watchdog) -> None:
    while True:
        # Not all processes at the same moment.
        await asyncio.sleep(watchdog.pause_s * random.uniform(0.5, 1))  # noqa: S311
        try:
            await watchdog.look()
        except (Error, TimeoutError) as error:
            log.warning("watchdog.no_database", error=type(error).__name__)
        except Exception:
            # Loud, but somebody must go on looking.
            log.exception("watchdog.failed")
