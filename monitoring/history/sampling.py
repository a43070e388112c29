"""What no row remembers, so it is looked at once a minute: levels, running totals."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import structlog
from django.db import Error

from monitoring import host, metrics, registry, series
from monitoring.history.names import COUNTED
from monitoring.models import Total
from monitoring.series import Plain
from monitoring.traffic import REQUESTS, STATUSES

log = structlog.get_logger(__name__)

Totals: TypeAlias = Mapping[tuple[str, str], int]

_OPERATIONS = "oracle_session_operations_total"
# What the apps offer for `/metrics`, and the label's value that is wanted, if one is.
_OFFERED = {
    "sessions_live": ("oracle_sessions_active", None),
    "sessions_maximum": ("oracle_sessions_maximum", None),
    "answers_running": ("oracle_answers_running", None),
    "queue_waiting": ("oracle_queue_tasks", "waiting"),
    "rollout_percent": ("oracle_rollout_percentage", None),
}
# Of the machine itself.
_MACHINE: Mapping[str, Callable[[], Mapping[str, float]]] = {
    "memory_percent": lambda: {"": host.memory_percent()},
    "disk_free_gb": lambda: {"": host.disk_free_gb()},
}
NAMES = {*_OFFERED, *_MACHINE, *COUNTED}


def levels() -> dict[tuple[str, str], float]:
    """Return how much there is now, by series and label; what fails is left out.

    Raises: django.db.Error.
    """
    return {(name, label): value for name, label, value in _levels()}


def totals() -> Totals:
    """Return what all processes have counted since ever, by series and label.

    A label that may come is there from the beginning, with 0. Raises: django.db.Error.
    """
    requests, operations = COUNTED
    return {
        **{(requests, status): n for status, n in _requests().items()},
        **{(operations, what): n for what, n in _operations().items()},
    }


def _requests() -> Mapping[str, int]:
    found = Counter(dict.fromkeys(STATUSES, 0))
    rows = Total.objects.filter(name__startswith=REQUESTS.name + "{")
    for name, value in rows.values_list("name", "value"):
        if parts := series.parsed(name):
            found[parts[1].get("status", series.OTHER)] += value
    return found


def _operations() -> Mapping[str, int]:
    """Return how often each operation was; none where nobody counts any."""
    declared = {each.name: each for each in series.declared()}
    offered = declared.get(_OPERATIONS)
    if not isinstance(offered, Plain):
        return {}
    known = metrics.totals(*offered.totals.values())
    return {what: known[total] or 0 for what, total in offered.totals.items()}


def _levels() -> Iterator[tuple[str, str, float]]:
    for name, read in _MACHINE.items():
        for label, value in _read(name, read).items():
            yield name, label, value
    offered = {each.name: each for each in registry.levels()}
    for name, (source, wanted) in _OFFERED.items():
        if source in offered:
            for label, value in _read(source, offered[source].read).items():
                if wanted in {None, label}:
                    yield name, "" if wanted else label, value


def _read(name: str, read: Callable[[], Mapping[str, float]]) -> Mapping[str, float]:
    """Read one; a surprise in it is told, and keeps no other from being read."""
    try:
        return read()
    except Error:
        raise
    except Exception:
        log.exception("history.level_failed", level=name)
        return {}
