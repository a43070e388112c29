"""Runs of jobs that were killed: nobody was left to record how they ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring import jobs, processes
from monitoring.models import JobRun


@dataclass(frozen=True, slots=True)
class Killed:
    """A run that failed so; `at` is when its job's limit was over."""

    pk: int
    name: str
    at: datetime


def runs(*, since: datetime, now: datetime) -> Iterator[Killed]:
    """Yield those begun since that are past their limit, or whose process died.

    The limit does not hold for one that somebody began by hand.
    Raises: django.db.Error.
    """
    limits = {job.name: timedelta(seconds=job.limit_s) for job in jobs.registered()}
    running = JobRun.objects.filter(
        outcome=JobRun.Outcome.RUNNING, started_at__gte=since
    )
    for run in running.order_by("started_at", "pk"):
        limit = limits.get(run.name)
        is_limited = limit is not None and not run.slot.startswith(jobs.BY_HAND)
        at = run.started_at + (limit or timedelta())
        if (is_limited and at < now) or processes.is_known_dead(run.holder):
            yield Killed(run.pk, run.name, at)
