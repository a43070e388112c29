"""The numbers of monitoring's own that alert rules may watch.

A ratio is of 0 to 1. Whoever imports this has registered them.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from django.utils import timezone

from monitoring import facts, host, registry, slis
from monitoring.alerting import records
from monitoring.history import reading
from monitoring.models import Channel
from monitoring.registry import Metric, Ratio, Reading

# 99 of 100 turns end without an error. It is no promise to anybody: a month of 30 days
# then has budget for 7.2 hours in which everything fails, about what one provider's
# bad day takes, and a shorter one is still worth an alert.
SLO = 0.99
_HOUR = timedelta(hours=1)


def _failed(window: timedelta) -> Ratio:
    """Return how many turns failed; over more than an hour by what history recorded.

    The last minutes, which it has not yet, weigh little there, and no row is read.
    """
    now = timezone.now()
    if window <= _HOUR:
        found = facts.source().tally(since=now - window)
        return Ratio(found.error_count, found.count)
    counted = partial(reading.summary, begin=now - window, end=now, has_spread=False)
    errors, turns = counted("errors"), counted("turns")
    return Ratio(errors.count, turns.count)


def _error_ratio(window: timedelta) -> list[Reading]:
    return [_share(_failed(window))]


def _budget_burn(window: timedelta) -> list[Reading]:
    """Return how many times faster than allowed errors take the budget."""
    failed = _share(_failed(window))
    if failed.value is None:
        return [failed]
    return [Reading(failed.value / (1 - SLO), failed.samples)]


def _errors_per_hour(window: timedelta) -> list[Reading]:
    """Count; where nothing was said nothing failed, which is a fact and no gap."""
    failed = _failed(window)
    return [Reading(failed.good * (_HOUR / window), failed.valid)]


def _latency_avg(window: timedelta) -> list[Reading]:
    found = facts.source().tally(since=timezone.now() - window)
    return [Reading(found.avg_ms, found.timed_count)]


def _latency_p95(window: timedelta) -> list[Reading]:
    since = timezone.now() - window
    found = facts.source().turn_percentile(0.95, since=since)
    return [Reading(found.value_ms, found.count)]


def _first_text_p95(window: timedelta) -> list[Reading]:
    since = timezone.now() - window
    found = facts.source().first_text_percentile(0.95, since=since)
    return [Reading(found.value_ms, found.count)]


def _session_hits(window: timedelta) -> list[Reading]:
    return [_share(slis.session_hits(window))]


def _session_recoveries(window: timedelta) -> list[Reading]:
    return [_share(slis.session_recoveries(window))]


def _share(ratio: Ratio) -> Reading:
    return Reading(ratio.value, ratio.valid)


def _memory(window: timedelta) -> list[Reading]:
    del window
    return [Reading(host.memory_percent(), 1)]


def _disk(window: timedelta) -> list[Reading]:
    del window
    return [Reading(host.disk_free_gb(), 1)]


def _pool(window: timedelta) -> list[Reading]:
    del window
    pool = facts.source().pool()
    return [Reading(pool.count / pool.maximum, 1) if pool.maximum else Reading(None)]


_ALL: Sequence[Metric] = (
    Metric(
        name="error_ratio",
        unit="ratio",
        help="Turns that ended with an error, of all that ended.",
        read=_error_ratio,
    ),
    Metric(
        name="error_budget_burn",
        unit="times",
        help=f"How fast errors take the budget of {1 - SLO:.0%}; 1: just allowed.",
        read=_budget_burn,
    ),
    Metric(
        name="errors_per_hour",
        unit="errors per hour",
        help="Turns that ended with an error.",
        read=_errors_per_hour,
    ),
    Metric(
        name="latency_avg_ms",
        unit="ms",
        help="How long a turn took until its answer was complete, on average.",
        read=_latency_avg,
    ),
    Metric(
        name="latency_p95_ms",
        unit="ms",
        help="How long at most 95 of 100 turns took.",
        read=_latency_p95,
    ),
    Metric(
        name="first_text_p95_ms",
        unit="ms",
        help="How long at most 95 of 100 turns took until their first text.",
        read=_first_text_p95,
    ),
    Metric(
        name="session_hit_ratio",
        unit="ratio",
        help="Persistent turns that found their session live, of all but first ones.",
        read=_session_hits,
    ),
    Metric(
        name="session_recovery_ratio",
        unit="ratio",
        help="Persistent turns that recovered their session, of all but first ones.",
        read=_session_recoveries,
    ),
    Metric(
        name="memory_used_percent",
        unit="%",
        help="The machine's memory that is in use now.",
        read=_memory,
    ),
    Metric(
        name="disk_free_gb",
        unit="GB",
        help="What is free now on the disk that the data is on.",
        read=_disk,
    ),
    Metric(
        name="pool_used_ratio",
        unit="ratio",
        help="Live sessions now, of their maximum.",
        read=_pool,
    ),
    Metric(
        name="check_state",
        unit="state",
        help="A health check's newest result: 0 healthy, 1 degraded, 2 unhealthy.",
        read=records.checks,
        labels=records.check_names,
    ),
    Metric(
        name="job_failures",
        unit="runs",
        help="Failed runs of a job since it last ended well.",
        read=records.job_failures,
        labels=records.job_names,
    ),
    Metric(
        name="worker_silent_s",
        unit="s",
        help="Since when no background job has begun.",
        read=records.worker_silence,
    ),
    Metric(
        name="deliveries_failed",
        unit="messages",
        help="Messages that were given up, or have failed for ten minutes.",
        read=records.deliveries,
        labels=lambda: Channel.Kind.values,
    ),
    Metric(
        name="backup_age_hours",
        unit="h",
        help="How old the newest backup is.",
        read=records.backup_age,
    ),
)

for _metric in _ALL:
    registry.register_metric(_metric)
