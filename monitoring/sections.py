"""The monitoring endpoints' answers, part by part, as the contract has them.

A number that was not measured is None. A ratio of nothing is None beside `samples: 0`
and a `status` of `no_data`: missing data is never shown as health.
"""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psutil
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from monitoring import facts, metrics
from monitoring.facts import Timing
from monitoring.models import Total

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_LOW_HIT_RATIO = 0.5
_HIGH_RECOVERY_RATIO = 0.1
_GIB = 1024**3
_MB = 1_000_000


def heading(database: str = "connected") -> dict[str, Any]:
    """Return the time, and whether there was a database to ask."""
    return {"timestamp": moment(timezone.now()), "database_status": database}


def system() -> dict[str, Any]:
    """Return the host's memory and the disk that the data is on."""
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(settings.DATA_DIR)
    return {
        "memory_usage_percent": memory.percent,
        "memory_available_gb": round(memory.available / _GIB, 2),
        "disk_usage_percent": round(100 * disk.used / (disk.used + disk.free), 1),
        "disk_free_gb": round(disk.free / _GIB, 2),
    }


def database() -> dict[str, Any]:
    """Return whether the database answers, and how fast."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        Total.objects.exists()
    except DatabaseError:
        return {"status": "disconnected", "connection_test": "failed"}
    return {"status": "connected", "connection_test": "passed"}


def environment() -> dict[str, Any]:
    """Return how the service is set up; never a secret's value."""
    return {
        "gemini_api_key": "configured" if settings.GEMINI_API_KEY else "not_configured",
        "log_level": settings.LOG_LEVEL,
        "environment": settings.ENVIRONMENT,
        "persistent_sessions_enabled": facts.source().is_persistent_enabled(),
    }


def conversations() -> dict[str, Any]:
    """Return how many conversations and messages there are, and how many are new."""
    totals = metrics.totals("sessions", "messages")
    sessions, messages = totals["sessions"] or 0, totals["messages"] or 0
    new = facts.source().newcomers(since=_since(DAY))
    return {
        "total_sessions": sessions,
        "total_messages": messages,
        "recent_sessions_24h": new.sessions,
        "recent_messages_24h": new.messages,
        "average_messages_per_session": round(messages / sessions, 2)
        if sessions
        else None,
        "last_activity": moment(new.last_activity) if new.last_activity else None,
    }


def errors() -> dict[str, Any]:
    """Return the turns that ended with an error, of the last hour and day."""
    hour = facts.source().turns(since=_since(HOUR))
    day = facts.source().turns(since=_since(DAY))
    return {
        "error_rate_per_hour": hour.error_count,
        "error_rate_percent": _percent(hour.error_count, hour.count),
        "samples": hour.count,
        "total_errors_24h": day.error_count,
        "by_code": dict(day.errors_by_code),
    }


def session_management() -> dict[str, Any]:
    """Return the live sessions and how the last hour's turns found theirs."""
    pool = facts.source().pool()
    turns = facts.source().session_turns(since=_since(HOUR))
    totals = metrics.totals(
        "sessions_created", "sessions_expired", "sessions_recovered"
    )
    usage = _percent(pool.count, pool.maximum)
    return {
        "active_sessions": pool.count,
        "total_sessions_created": totals["sessions_created"] or 0,
        "sessions_expired": totals["sessions_expired"] or 0,
        "sessions_recovered": totals["sessions_recovered"] or 0,
        "cache_performance": {
            "cache_hit_ratio": _ratio(turns.hit, turns.valid),
            "cache_hits": turns.hit,
            "cache_misses": turns.valid - turns.hit,
            "samples": turns.valid,
            "status": _status(turns.hit, turns.valid, lambda r: r >= _LOW_HIT_RATIO),
        },
        "memory_usage": {
            "current_usage_mb": round(pool.size_bytes / _MB, 3),
            "max_sessions": pool.maximum,
            "usage_percentage": usage,
            "status": "high"
            if pool.count >= pool.maximum * pool.emergency_share
            else "healthy",
        },
        "cleanup_operations": _cleanup(pool),
        "session_recovery": {
            "total_recoveries": totals["sessions_recovered"] or 0,
            "recovery_rate": _ratio(turns.recovered, turns.valid),
            "samples": turns.valid,
            "status": _status(
                turns.recovered, turns.valid, lambda r: r <= _HIGH_RECOVERY_RATIO
            ),
        },
    }


def session_performance() -> dict[str, Any]:
    """Return what sessions cost and save, of the last day."""
    created = facts.source().session_timing("created", since=_since(DAY))
    recovered = facts.source().session_timing("recovered", since=_since(DAY))
    saved = reduction_percent()
    return {
        "session_creation": {
            "avg_creation_time_ms": _ms(created.avg_ms),
            "total_operations": created.count,
        },
        "session_recovery": {
            "avg_recovery_time_ms": _ms(recovered.avg_ms),
            "total_operations": recovered.count,
        },
        "token_usage": {
            "measured_reduction_percent": saved,
            "estimated_reduction_percent": saved,
        },
    }


def performance_summary() -> dict[str, Any]:
    """Return the same with its extremes, and the treatment's answer times."""
    created = facts.source().session_timing("created", since=_since(DAY))
    recovered = facts.source().session_timing("recovered", since=_since(DAY))
    return {
        "session_creation": _spread(created, "creation"),
        "session_recovery": _spread(recovered, "recovery"),
        "token_usage": {"estimated_reduction_percent": reduction_percent()},
        "response_times": {"estimated_improvement_percent": improvement_percent()},
    }


def operations() -> dict[str, Any]:
    """Return how long a turn and the begin of a conversation took, of the last day."""
    turns = facts.source().turns(since=_since(DAY))
    begun = metrics.timing("create_session", since=_since(DAY))
    return {
        "send_message": _operation(turns.timing),
        "create_session": _operation(begun),
    }


def reduction_percent() -> float | None:
    """Return how much fewer billed input tokens the treatment takes for a turn.

    Measured on the turns of the last day, cached tokens at a tenth; None until both
    variants have turns that reported their tokens.
    """
    treatment, control = facts.source().arms(since=_since(DAY))
    return _less(treatment.input_tokens_per_turn, control.input_tokens_per_turn)


def improvement_percent() -> float | None:
    """Return how much sooner the treatment's answers are complete, likewise."""
    treatment, control = facts.source().arms(since=_since(DAY))
    return _less(treatment.response_ms, control.response_ms)


def insights() -> list[str]:
    """Say in sentences what the figures of the last day mean."""
    since = _since(DAY)
    turns = facts.source().session_turns(since=since)
    treatment, control = facts.source().arms(since=since)
    said = [
        f"{turns.hit} of {turns.valid} persistent turns found their session live "
        f"({100 * turns.hit / turns.valid:.0f} %)."
        if turns.valid
        else "No persistent turn has looked for a session in the last 24 hours.",
        f"{treatment.turn_count} complete turns in the treatment, "
        f"{control.turn_count} in control.",
    ]
    saved = reduction_percent()
    if saved is None:
        said.append("Both variants need turns before tokens can be compared.")
    elif saved > 0:
        said.append(f"A turn of the treatment takes {saved:.1f} % fewer billed tokens.")
    else:
        said.append(f"The treatment saves no tokens: it takes {-saved:.1f} % more.")
    return said


def worst(management: dict[str, Any]) -> str:
    """Return `degraded` when a part needs attention; nothing to measure is healthy."""
    states = [part["status"] for part in management.values() if isinstance(part, dict)]
    return "healthy" if set(states) <= {"healthy", "no_data"} else "degraded"


def moment(at: datetime) -> str:
    """Return a time as RFC 3339 in UTC."""
    return at.isoformat().replace("+00:00", "Z")


def _cleanup(pool: facts.Pool) -> dict[str, Any]:
    overdue = pool.last_cleanup is None or timezone.now() - pool.last_cleanup > (
        3 * timedelta(seconds=pool.cleanup_interval_s)
    )
    return {
        "last_cleanup": moment(pool.last_cleanup) if pool.last_cleanup else None,
        "cleanup_interval_seconds": pool.cleanup_interval_s,
        "oldest_session_age_hours": round(pool.oldest_age_s / 3600, 2)
        if pool.oldest_age_s is not None
        else None,
        "status": "overdue" if overdue else "healthy",
    }


def _spread(timing: Timing, what: str) -> dict[str, Any]:
    return {
        "total_operations": timing.count,
        f"avg_{what}_time_ms": _ms(timing.avg_ms),
        f"min_{what}_time_ms": _ms(timing.min_ms),
        f"max_{what}_time_ms": _ms(timing.max_ms),
    }


def _operation(timing: Timing) -> dict[str, Any]:
    return {
        "count": timing.count,
        "avg_duration_ms": _ms(timing.avg_ms),
        "min_duration_ms": _ms(timing.min_ms),
        "max_duration_ms": _ms(timing.max_ms),
        "p50_ms": _ms(timing.p50_ms),
        "p95_ms": _ms(timing.p95_ms),
        "p99_ms": _ms(timing.p99_ms),
    }


def _status(part: int, whole: int, is_fine: Callable[[float], bool]) -> str:
    if not whole:
        return "no_data"
    return "healthy" if is_fine(part / whole) else "attention"


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None


def _less(treatment: float | None, control: float | None) -> float | None:
    if treatment is None or not control:
        return None
    return round(100 * (1 - treatment / control), 2)


def _ms(measured: float | None) -> float | None:
    return None if measured is None else round(measured, 2)


def _since(window: timedelta) -> datetime:
    return timezone.now() - window
