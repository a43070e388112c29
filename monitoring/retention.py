"""How long monitoring keeps what; older rows go a few at a time."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from monitoring import jobs
from monitoring.history import KEEP_HOURS, KEEP_MINUTES, hour_of
from monitoring.history.state import State
from monitoring.models import (
    Alert,
    CheckResult,
    Delivery,
    JobRun,
    Point,
    Report,
    Sample,
    Silence,
)

RUNS = timedelta(days=7)
_SAMPLES = timedelta(days=2)
CHECKS = timedelta(days=30)
_DELIVERIES = timedelta(days=90)
_ALERTS = _SILENCES = timedelta(days=400)
_REPORTS = {
    Report.Period.QUARTER: timedelta(days=2),
    Report.Period.HOUR: timedelta(days=30),
    Report.Period.DAY: timedelta(days=400),
}


def forget(now: datetime) -> int:
    """Delete what is too old; return how many rows went."""
    waiting = Delivery.State.WAITING
    old: list[QuerySet] = [
        JobRun.objects.filter(started_at__lt=now - RUNS),
        Sample.objects.filter(at__lt=now - _SAMPLES),
        CheckResult.objects.filter(at__lt=now - CHECKS),
        Delivery.objects.filter(created_at__lt=now - _DELIVERIES).exclude(
            state=waiting
        ),
        Alert.objects.filter(resolved_at__lt=now - _ALERTS),
        Silence.objects.filter(ends_at__lt=now - _SILENCES),
        *(
            Report.objects.filter(period=period, end__lt=now - kept)
            for period, kept in _REPORTS.items()
        ),
        *_points(now),
    ]
    return sum(map(jobs.delete_in_batches, old))


def _points(now: datetime) -> "list[QuerySet[Point]]":
    """Select old hours, and minutes by whole hours that are recorded for good."""
    hours = Point.objects.filter(step_s=Point.Step.HOUR, begin__lt=now - KEEP_HOURS)
    until = State.read().until
    if until is None:
        return [hours]
    before = min(hour_of(now - KEEP_MINUTES), hour_of(until))
    return [hours, Point.objects.filter(step_s=Point.Step.MINUTE, begin__lt=before)]
