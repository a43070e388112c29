"""Whether the service works, in the words of `/health`, `/livez` and `/readyz`."""

import logging
from typing import Any

from django.conf import settings
from django.db import Error
from django.utils import timezone

from monitoring import jobs, probing, registry
from monitoring.models import Total
from monitoring.registry import DEGRADED, HEALTHY, UNHEALTHY, Service

_CONNECTED = Service("connected")
_DISCONNECTED = Service("disconnected", UNHEALTHY)
_NEEDED = ("database", "migrations")

_last: list[dict[str, Service]] = [{}]


def report() -> dict[str, Any]:
    """Return status, services and numbers; numbers are None without a database."""
    try:
        return _report_of_now()
    except Error:
        # It went away in between, or lacks a table that one of the numbers needs.
        return report_of_silence()


def services() -> dict[str, Service]:
    """Return what everything that we need or run says of itself now, by name."""
    database = _database()
    return {
        "database": database,
        "logging": _logging(),
        "background_jobs": _jobs(is_known=database == _CONNECTED),
        **registry.services(),
    }


def _report_of_now() -> dict[str, Any]:
    found = services()
    _last[:] = [found]
    has_database = found["database"] == _CONNECTED
    return _report(found, registry.gauges(has_database=has_database))


def report_of_silence() -> dict[str, Any]:
    """Return the report of a database that does not answer, without asking it.

    The other services are as they were when it last did.
    """
    unknown = dict.fromkeys(registry.service_names(), Service("unknown", DEGRADED))
    found = {**unknown, "logging": _logging(), **_last[0], "database": _DISCONNECTED}
    return _report(found, registry.gauges(has_database=False))


def alive() -> dict[str, Any]:
    """Return what a process says that runs, whatever else does not."""
    return {"status": "alive", **_heading()}


def ready() -> dict[str, Any]:
    """Return whether this process should get traffic, and each reason why not."""
    needed = [registry.probe(name) for name in _NEEDED]
    reasons = registry.blockers() + [
        f"{found.name}: {found.sentence}"
        for found in probing.findings(needed)
        if found.status == UNHEALTHY or found.is_silent
    ]
    return {"status": "not_ready" if reasons else "ready", **_heading()} | {
        "reasons": reasons
    }


def _report(
    found: dict[str, Service], numbers: dict[str, int | None]
) -> dict[str, Any]:
    return {
        "status": probing.worst(service.health for service in found.values()),
        **_heading(),
        "services": {name: service.word for name, service in found.items()},
        "session_metrics": numbers,
    }


def _heading() -> dict[str, Any]:
    now = timezone.now().isoformat().replace("+00:00", "Z")
    return {"timestamp": now, "version": settings.VERSION}


def _database() -> Service:
    """Ask for a table of ours: without the migrations nothing else works either."""
    try:
        Total.objects.exists()
    except Error:
        return _DISCONNECTED
    return _CONNECTED


def _logging() -> Service:
    handlers = logging.getLogger().handlers
    return Service("active") if handlers else Service("inactive", DEGRADED)


def _jobs(*, is_known: bool) -> Service:
    """Notice that the worker or its beat is gone: what they do is late, not lost."""
    if not is_known:
        return Service("unknown", DEGRADED)
    is_late = any(jobs.late(timezone.now()))
    return Service("late", DEGRADED) if is_late else Service("on_time", HEALTHY)
