"""The rules of a new site, as data: the deployment guide's, and our own.

Operators own them once they are stored; this is what they begin with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MINUTE, _HOUR = 60, 3600
_WARNING, _CRITICAL = "warning", "critical"
_RUNBOOK = "docs/RUNBOOK.md#alert-"


@dataclass(frozen=True, slots=True)
class Default:
    """A rule's name and its other columns, as `AlertRule` has them."""

    name: str
    columns: Mapping[str, Any]

    @property
    def threshold(self) -> float:
        """Where it worries, in its metric's unit."""
        return float(self.columns["threshold"])


def _rule(name: str, summary: str, metric: str, **columns: Any) -> Default:
    runbook = _RUNBOOK + name
    given = {"summary": summary, "metric": metric, "runbook": runbook} | columns
    return Default(name, {"window_s": _MINUTE} | given)


ALL: tuple[Default, ...] = (
    _rule(
        "high-error-rate",
        "Over 10 % of the turns of a quarter of an hour failed.",
        "error_ratio",
        window_s=15 * _MINUTE,
        threshold=0.10,
        clear_threshold=0.08,
        min_samples=20,
        for_s=_MINUTE,
        keep_firing_s=2 * _MINUTE,
        severity=_CRITICAL,
    ),
    _rule(
        "many-errors",
        "Over 10 turns failed within an hour.",
        "errors_per_hour",
        window_s=_HOUR,
        threshold=10,
        clear_threshold=8,
        severity=_WARNING,
    ),
    _rule(
        "high-recovery-rate",
        "Over 10 % of an hour's persistent turns had to recover their session.",
        "session_recovery_ratio",
        window_s=_HOUR,
        threshold=0.10,
        clear_threshold=0.08,
        min_samples=20,
        keep_firing_s=5 * _MINUTE,
        severity=_WARNING,
        switch="ALERT_ON_HIGH_RECOVERY_RATE",
    ),
    _rule(
        "low-hit-ratio",
        "Under 50 % of an hour's persistent turns found their session live.",
        "session_hit_ratio",
        comparison="below",
        window_s=_HOUR,
        threshold=0.50,
        clear_threshold=0.55,
        min_samples=20,
        keep_firing_s=5 * _MINUTE,
        severity=_WARNING,
        switch="ALERT_ON_LOW_CACHE_HIT_RATIO",
    ),
    _rule(
        "slow-answers",
        "Answers of a quarter of an hour took over 3 seconds on average.",
        "latency_avg_ms",
        window_s=15 * _MINUTE,
        threshold=3000,
        clear_threshold=2700,
        min_samples=20,
        for_s=_MINUTE,
        keep_firing_s=2 * _MINUTE,
        severity=_WARNING,
    ),
    _rule(
        "memory-high",
        "Over 90 % of the machine's memory is in use.",
        "memory_used_percent",
        threshold=90,
        clear_threshold=87,
        for_s=2 * _MINUTE,
        keep_firing_s=2 * _MINUTE,
        severity=_WARNING,
    ),
    _rule(
        "disk-low",
        "Less than 1 GB is free where the data is.",
        "disk_free_gb",
        comparison="below",
        threshold=1,
        clear_threshold=1.2,
        severity=_WARNING,
    ),
    _rule(
        "disk-full",
        "Less than 100 MB are free where the data is: writes fail soon.",
        "disk_free_gb",
        comparison="below",
        threshold=0.1,
        clear_threshold=0.15,
        severity=_CRITICAL,
    ),
    _rule(
        "pool-full",
        "The live sessions are at 95 % of their maximum, or over.",
        "pool_used_ratio",
        # A hair under it: at 95 % itself a batch of sessions is closed.
        threshold=0.9499,
        clear_threshold=0.90,
        keep_firing_s=5 * _MINUTE,
        severity=_WARNING,
    ),
    _rule(
        "check-unhealthy",
        "A health check is unhealthy.",
        "check_state",
        window_s=15 * _MINUTE,
        threshold=1,
        # Two runs of the checks: one that comes and goes is one alert, not ten.
        keep_firing_s=10 * _MINUTE,
        severity=_CRITICAL,
    ),
    _rule(
        "check-degraded",
        "A health check has not been healthy for ten minutes.",
        "check_state",
        window_s=15 * _MINUTE,
        threshold=0,
        for_s=10 * _MINUTE,
        severity=_WARNING,
    ),
    _rule(
        "beat-silent",
        "No scheduler has given a sign of life for 90 seconds: no job runs.",
        "beat_silent_s",
        threshold=90,
        clear_threshold=30,
        # A site that starts after a pause gets a little time for its scheduler.
        for_s=15,
        severity=_CRITICAL,
    ),
    _rule(
        "worker-silent",
        "No background job has begun for three minutes: no worker runs them.",
        "worker_silent_s",
        threshold=180,
        clear_threshold=90,
        for_s=15,
        severity=_CRITICAL,
    ),
    _rule(
        "rollout-not-ticking",
        "Nobody has looked at the rollout that is under way for five minutes.",
        "rollout_tick_age_s",
        threshold=300,
        clear_threshold=60,
        severity=_CRITICAL,
    ),
    _rule(
        "job-failed",
        "A background job failed, and has not ended well since.",
        "job_failures",
        window_s=_HOUR,
        threshold=0,
        # Some run every few seconds: one that fails now and then is one alert.
        keep_firing_s=5 * _MINUTE,
        severity=_WARNING,
    ),
    _rule(
        "backup-old",
        "The newest backup is over 26 hours old.",
        "backup_age_hours",
        threshold=26,
        severity=_WARNING,
    ),
    _rule(
        "deliveries-failed",
        "A message about an alert could not be delivered.",
        "deliveries_failed",
        window_s=_HOUR,
        threshold=0,
        severity=_WARNING,
    ),
    # The Google SRE Workbook, chapter 5: 2 % of a month's budget in an hour, 5 % in
    # six hours; the short window ends it soon after the errors do.
    _rule(
        "error-budget-fast",
        "Errors take a month's error budget in two days.",
        "error_budget_burn",
        window_s=_HOUR,
        short_window_s=5 * _MINUTE,
        threshold=14.4,
        min_samples=20,
        keep_firing_s=2 * _MINUTE,
        severity=_CRITICAL,
    ),
    _rule(
        "error-budget-slow",
        "Errors take a month's error budget in five days.",
        "error_budget_burn",
        window_s=6 * _HOUR,
        short_window_s=30 * _MINUTE,
        threshold=6,
        min_samples=50,
        keep_firing_s=5 * _MINUTE,
        severity=_WARNING,
    ),
)

NAMES = frozenset(each.name for each in ALL)
