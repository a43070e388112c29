"""What no row remembers, so it is looked at once a minute: levels, and requests."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import structlog
from django.db import Error

from monitoring import host, registry, series
from monitoring.models import Total
from monitoring.traffic import REQUESTS

log = structlog.get_logger(__name__)

REQUESTS_NAME = "requests"
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
NAMES = {*_OFFERED, *_MACHINE, REQUESTS_NAME}


def levels() -> dict[tuple[str, str], float]:
    """Return how much there is now, by series and label; what fails is left out.

    Raises: django.db.Error.
    """
    return {(name, label): value for name, label, value in _levels()}


def requests() -> Counter[str]:
    """Count the requests of all processes since ever, by the class of their status."""
    found: Counter[str] = Counter()
    rows = Total.objects.filter(name__startswith=REQUESTS.name + "{")
    for name, value in rows.values_list("name", "value"):
        if parts := series.parsed(name):
            found[parts[1].get("status", series.OTHER)] += value
    return found


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
