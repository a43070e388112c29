"""The monitoring endpoints' answers, part by part, as the contract has them.

A number that was not measured is None. A ratio of nothing is None beside `samples: 0`
and a `status` of `no_data`: missing data is never shown as health.
"""

import shutil
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import psutil
from django.conf import settings

from monitoring import logs
from monitoring.facts import Pool, Timing
from monitoring.figures import Figures

_OVERDUE_PERIODS = 3
_GIB = 1024**3
_MB = 1_000_000
_FINE = {"healthy", "no_data"}


def system() -> dict[str, Any]:
    """Return the host's memory and the disk that the data is on; no database."""
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(settings.DATA_DIR)
    return {
        "memory_usage_percent": memory.percent,
        "memory_available_gb": round(memory.available / _GIB, 2),
        "disk_usage_percent": round(100 * disk.used / (disk.used + disk.free), 1),
        "disk_free_gb": round(disk.free / _GIB, 2),
    }


def environment() -> dict[str, Any]:
    """Return how the service is set up, never a secret's value; no database."""
    return {
        "gemini_api_key": "configured" if settings.GEMINI_API_KEY else "not_configured",
        "log_level": logs.level(),
        "environment": settings.ENVIRONMENT,
    }


def conversations(figures: Figures) -> dict[str, Any]:
    """Return how many conversations and messages there are, and how many are new."""
    sessions, messages = figures.totals["sessions"], figures.totals["messages"]
    return {
        "total_sessions": sessions,
        "total_messages": messages,
        "recent_sessions_24h": figures.newcomers.sessions,
        "recent_messages_24h": figures.newcomers.messages,
        "average_messages_per_session": round(messages / sessions, 2)
        if sessions
        else None,
    }


def errors(figures: Figures) -> dict[str, Any]:
    """Return the turns that ended with an error, of the last hour and day."""
    hour, day = figures.hour, figures.day
    most = figures.thresholds["high-error-rate"]
    return {
        "error_rate_per_hour": hour.error_count,
        "error_rate_percent": _percent(hour.error_count, hour.count),
        "samples": hour.count,
        "status": _status(hour.error_count, hour.count, lambda r: r <= most),
        "total_errors_24h": day.error_count,
        "by_code": dict(day.errors_by_code),
    }


def session_management(figures: Figures) -> dict[str, Any]:
    """Return the live sessions and how the last hour's turns found theirs."""
    pool, totals = figures.pool, figures.session_totals
    return {
        "active_sessions": pool.count,
        "total_sessions_created": totals["sessions_created"],
        "sessions_expired": totals["sessions_expired"],
        "sessions_recovered": totals["sessions_recovered"],
        "cache_performance": _cache(figures),
        "memory_usage": _memory(pool),
        "cleanup_operations": _cleanup(pool, now=figures.now),
        "session_recovery": _recovery(figures),
    }


def worst(management: dict[str, Any]) -> str:
    """Return `degraded` when a part needs attention; nothing to measure is healthy."""
    states = {part["status"] for part in management.values() if isinstance(part, dict)}
    return "healthy" if states <= _FINE else "degraded"


def session_performance(figures: Figures) -> dict[str, Any]:
    """Return what sessions cost and save, of the last day."""
    saved = figures.reduction_percent
    return {
        "session_creation": {
            "avg_creation_time_ms": _ms(figures.created.avg_ms),
            "total_operations": figures.created.count,
        },
        "session_recovery": {
            "avg_recovery_time_ms": _ms(figures.recovered.avg_ms),
            "total_operations": figures.recovered.count,
        },
        "token_usage": {
            "measured_reduction_percent": saved,
            "estimated_reduction_percent": saved,
            **_samples(arm.token_count for arm in figures.arms),
        },
    }


def performance_summary(figures: Figures) -> dict[str, Any]:
    """Return the same with its extremes, and the treatment's answer times."""
    return {
        "session_creation": _spread(figures.created, "creation"),
        "session_recovery": _spread(figures.recovered, "recovery"),
        "token_usage": {
            "estimated_reduction_percent": figures.reduction_percent,
            **_samples(arm.token_count for arm in figures.arms),
        },
        "response_times": {
            "estimated_improvement_percent": figures.improvement_percent,
            **_samples(arm.response_count for arm in figures.arms),
        },
    }


def operations(figures: Figures) -> dict[str, Any]:
    """Return how long a turn and the begin of a conversation took, of the last day."""
    return {
        "send_message": _operation(figures.day.timing),
        "create_session": _operation(figures.begun),
    }


def moment(at: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def _cache(figures: Figures) -> dict[str, Any]:
    turns = figures.session_turns_of_hour
    least = figures.thresholds["low-hit-ratio"]
    return {
        "cache_hit_ratio": _ratio(turns.hit, turns.valid),
        "cache_hits": turns.hit,
        "cache_misses": turns.valid - turns.hit,
        "samples": turns.valid,
        "status": _status(turns.hit, turns.valid, lambda r: r >= least),
    }


def _memory(pool: Pool) -> dict[str, Any]:
    is_high = pool.count >= pool.maximum * pool.emergency_share
    return {
        "current_usage_mb": round(pool.size_bytes / _MB, 3),
        "max_sessions": pool.maximum,
        "usage_percentage": _percent(pool.count, pool.maximum),
        "status": "high" if is_high else "healthy",
    }


def _cleanup(pool: Pool, *, now: datetime) -> dict[str, Any]:
    patience = _OVERDUE_PERIODS * timedelta(seconds=pool.cleanup_interval_s)
    last, oldest_s = pool.last_cleanup, pool.oldest_age_s
    is_overdue = last is None or now - last > patience
    return {
        "last_cleanup": moment(last),
        "cleanup_interval_seconds": pool.cleanup_interval_s,
        "oldest_session_age_hours": None
        if oldest_s is None
        else round(oldest_s / 3600, 2),
        "status": "overdue" if is_overdue else "healthy",
    }


def _recovery(figures: Figures) -> dict[str, Any]:
    turns = figures.session_turns_of_hour
    most = figures.thresholds["high-recovery-rate"]
    return {
        "total_recoveries": figures.session_totals["sessions_recovered"],
        "recovery_rate": _ratio(turns.recovered, turns.valid),
        "samples": turns.valid,
        "status": _status(turns.recovered, turns.valid, lambda r: r <= most),
    }


def _samples(counts: Iterable[int]) -> dict[str, Any]:
    """Return how many turns a comparison rests on: those of the smaller variant."""
    count = min(counts)
    return {"samples": count, "status": "measured" if count else "no_data"}


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


def _ms(measured: float | None) -> float | None:
    return None if measured is None else round(measured, 3)
