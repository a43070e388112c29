"""What monitoring itself saw happen, for the timeline of an incident."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Lag
from django.utils import timezone

from monitoring import killed, registry, retention
from monitoring.models import Alert, CheckResult, JobRun
from monitoring.registry import Event

# Of each kind, the newest: an alert or a job that flaps must not fill the memory.
MOST = 1000
_LOOK_BACK = timedelta(hours=1)
_KEPT = {"runs of jobs": retention.RUNS, "results of checks": retention.CHECKS}


def register() -> None:
    """Offer them all."""
    registry.register_chronicle("alerts", alerts)
    registry.register_chronicle("checks", checks)
    registry.register_chronicle("jobs", jobs)
    registry.register_chronicle("gaps", gaps)


def alerts(begin: datetime, end: datetime) -> Iterator[Event]:
    """Tell when alerts fired, were acknowledged, and were over."""
    span = (begin, end)
    for alert in _newest(Alert.objects.all(), "fired_at", span):
        yield Event(
            at=alert.fired_at,
            kind="alert",
            text=f"{alert} ({alert.severity}) fired{_again(alert)}: {alert.summary}",
        )
    for alert in _newest(Alert.objects.all(), "acknowledged_at", span):
        yield Event(
            at=alert.acknowledged_at,
            kind="alert",
            text=f"{alert} was acknowledged.",
            actor=alert.acknowledged_by,
        )
    ended = Alert.objects.filter(fired_at__isnull=False)
    for alert in _newest(ended, "resolved_at", span):
        yield Event(at=alert.resolved_at, kind="alert", text=f"{alert} is over.")


def _again(alert: Alert) -> str:
    """Say that an alert's words are not those with which it was raised first."""
    if alert.event_count == 1:
        return ""
    return f", raised {alert.event_count:,} times until now, most recently"


def checks(begin: datetime, end: datetime) -> Iterator[Event]:
    """Tell when a health check found another state than the time before."""
    flips = (
        CheckResult.objects.filter(at__gte=begin - _LOOK_BACK, at__lt=end)
        .annotate(
            before=Window(
                Lag("status"), partition_by="name", order_by=[F("at"), F("id")]
            )
        )
        .filter(~Q(status=F("before")), before__isnull=False)
        .order_by("-at")[:MOST]
    )
    for found in flips:
        if found.at >= begin:
            yield Event(
                at=found.at,
                kind="check",
                text=f"Check {found.name}: {found.before} → {found.status}. "
                f"{found.sentence}",
            )


def jobs(begin: datetime, end: datetime) -> Iterator[Event]:
    """Tell which background jobs failed, also by being killed."""
    failed = JobRun.objects.filter(
        outcome=JobRun.Outcome.FAILED, started_at__gte=begin - _LOOK_BACK
    )
    for run in _newest(failed, "ended_at", (begin, end)):
        yield Event(
            at=run.ended_at, kind="job", text=f"Job {run.name} failed: {run.detail}"
        )
    gone = killed.runs(since=begin - _LOOK_BACK, now=timezone.now())
    for lost in [run for run in gone if begin <= run.at < end][-MOST:]:
        yield Event(
            at=lost.at,
            kind="job",
            text=f"Job {lost.name} failed: it was killed before it had ended.",
        )


def gaps(begin: datetime, end: datetime) -> Iterator[Event]:
    """Tell of what is no longer kept, so that nothing is not read as nothing wrong."""
    now = timezone.now()
    for what, kept in _KEPT.items():
        since = now - kept
        if begin < since:
            yield Event(
                at=min(since, end),
                kind="gap",
                text=f"Older {what} are no longer kept: none is told from before this.",
            )


def _newest(
    rows: QuerySet, column: str, span: tuple[datetime, datetime]
) -> Iterator[Any]:
    begin, end = span
    within = rows.filter(**{f"{column}__gte": begin, f"{column}__lt": end})
    yield from within.order_by(f"-{column}")[:MOST]
