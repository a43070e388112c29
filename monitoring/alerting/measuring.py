"""Reads the metrics: each once, and none of them longer than it may take.

They are read one after the other on a thread of their own. One that hangs is left
alone with its thread, has no data until that has ended, and the others go on.
"""

import queue
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import structlog
from django.db import connections

from monitoring import registry
from monitoring.registry import Reading

log = structlog.get_logger(__name__)

PATIENCE_S = 2.0
_stuck: dict[str, threading.Thread] = {}


@dataclass(frozen=True, slots=True, order=True)
class Wanted:
    """A metric over so many seconds."""

    metric: str
    window_s: int


Readings: TypeAlias = Mapping[Wanted, Sequence[Reading]]
_Asked: TypeAlias = "queue.SimpleQueue[tuple[Wanted, Future[Sequence[Reading]]] | None]"


def read(wanted: Iterable[Wanted], *, patience_s: float = PATIENCE_S) -> Readings:
    """Return the readings of each; of one that hangs or fails there are none."""
    found: dict[Wanted, Sequence[Reading]] = {}
    reader = _Reader()
    for each in sorted(set(wanted)):
        found[each] = ()
        if _is_stuck(each.metric):
            continue
        try:
            found[each] = reader.ask(each).result(patience_s)
        except TimeoutError:
            log.warning("alerts.metric_hangs", metric=each.metric)
            _stuck[each.metric] = reader.thread
            reader.end()
            reader = _Reader()
        except Exception as error:
            log.exception("alerts.metric_failed", metric=each.metric, error=repr(error))
    reader.end()
    return found


class _Reader:
    """A thread that reads what it is asked for until it is told to end."""

    def __init__(self) -> None:
        self._asked: _Asked = queue.SimpleQueue()
        self.thread = threading.Thread(
            target=_serve, args=[self._asked], name="oracle-alerts-reader", daemon=True
        )
        self._is_started = False

    def ask(self, wanted: Wanted) -> "Future[Sequence[Reading]]":
        if not self._is_started:
            self.thread.start()
            self._is_started = True
        answer: Future[Sequence[Reading]] = Future()
        self._asked.put((wanted, answer))
        return answer

    def end(self) -> None:
        self._asked.put(None)


def _serve(asked: _Asked) -> None:
    try:
        while (next_one := asked.get()) is not None:
            wanted, answer = next_one
            try:
                answer.set_result(_read(wanted))
            except Exception as error:  # noqa: BLE001 - it is raised where we wait
                answer.set_exception(error)
    finally:
        connections.close_all()


def _read(wanted: Wanted) -> Sequence[Reading]:
    window = timedelta(seconds=wanted.window_s)
    return list(registry.metric(wanted.metric).read(window))


def _is_stuck(metric: str) -> bool:
    thread = _stuck.get(metric)
    if thread is None:
        return False
    if thread.is_alive():
        return True
    _stuck.pop(metric, None)  # several threads may ask
    return False
