"""Where the values of every series come from: rows, read again as often as wanted.

The chat's turns, and what monitoring keeps itself: samples, runs of jobs, checks.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from monitoring import facts, killed
from monitoring.facts import Facts, Measured
from monitoring.models import CheckResult, JobRun, Sample
from monitoring.registry import HEALTHY

# Runs are found by their begin, which is indexed, and belong to their end.
_LONGEST_RUN = timedelta(hours=1)
_SAMPLES = {"create_session_ms": "create_session"}
OWN = {*_SAMPLES, "job_ms", "jobs_failed", "check_ms", "checks_bad"}


def turns() -> Facts | None:
    """Return who knows of turns, if anybody does."""
    try:
        return facts.source()
    except LookupError:
        return None


def measured(begin: datetime, end: datetime) -> Iterator[Measured]:
    """Yield every value of a window."""
    yield from own(begin, end)
    if source := turns():
        yield from source.measured(begin, end)


def own(begin: datetime, end: datetime) -> Iterator[Measured]:
    """Yield the values that are not of turns."""
    for name in _SAMPLES:
        yield from _samples(name, begin, end)
    yield from _jobs(begin, end)
    yield from _checks(begin, end)


def _samples(name: str, begin: datetime, end: datetime) -> Iterator[Measured]:
    found = Sample.objects.filter(name=_SAMPLES[name], at__gte=begin, at__lt=end)
    for at, value in found.values_list("at", "value"):
        yield Measured(at, name, "", value)


def _jobs(begin: datetime, end: datetime) -> Iterator[Measured]:
    found = JobRun.objects.filter(
        started_at__gte=begin - _LONGEST_RUN,
        started_at__lt=end,
        ended_at__gte=begin,
        ended_at__lt=end,
    )
    fields = ("name", "started_at", "ended_at", "outcome")
    for name, started_at, ended_at, outcome in found.values_list(*fields):
        took_ms = (ended_at - started_at) / timedelta(milliseconds=1)
        yield Measured(ended_at, "job_ms", name, took_ms)
        if outcome == JobRun.Outcome.FAILED:
            yield Measured(ended_at, "jobs_failed", name, 1)
    for run in killed.runs(since=begin - _LONGEST_RUN, now=timezone.now()):
        if begin <= run.at < end:
            yield Measured(run.at, "jobs_failed", run.name, 1)


def _checks(begin: datetime, end: datetime) -> Iterator[Measured]:
    found = CheckResult.objects.filter(at__gte=begin, at__lt=end)
    for name, status, took_ms, at in found.values_list(
        "name", "status", "took_ms", "at"
    ):
        yield Measured(at, "check_ms", name, took_ms)
        if status != HEALTHY:
            yield Measured(at, "checks_bad", name, 1)
