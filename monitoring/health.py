"""Whether the service works, in the words of `/health`."""

import logging
from typing import Any

from django.conf import settings
from django.db import Error
from django.utils import timezone

from monitoring import jobs, registry
from monitoring.models import Total
from monitoring.registry import Service

_CONNECTED = Service("connected")
_ORDER = ("healthy", "degraded", "unhealthy")


def report() -> dict[str, Any]:
    """Return status, services and numbers; numbers are None without a database."""
    database = _database()
    services = {
        "database": database,
        "logging": _logging(),
        "background_jobs": _jobs(is_known=database == _CONNECTED),
        **registry.services(),
    }
    worst = max((service.health for service in services.values()), key=_ORDER.index)
    return {
        "status": worst,
        "timestamp": timezone.now().isoformat().replace("+00:00", "Z"),
        "version": settings.VERSION,
        "services": {name: service.word for name, service in services.items()},
        "session_metrics": registry.gauges(has_database=database == _CONNECTED),
    }


def _database() -> Service:
    """Ask for a table of ours: without the migrations nothing else works either."""
    try:
        Total.objects.exists()
    except Error:
        return Service("disconnected", "unhealthy")
    return _CONNECTED


def _logging() -> Service:
    handlers = logging.getLogger().handlers
    return Service("active") if handlers else Service("inactive", "degraded")


def _jobs(*, is_known: bool) -> Service:
    """Notice that the worker or its beat is gone: what they do is late, not lost."""
    if not is_known:
        return Service("unknown", "degraded")
    now = timezone.now()
    is_late = any(jobs.is_late(job.name, now) for job in jobs.registered())
    return Service("late", "degraded") if is_late else Service("on_time")
