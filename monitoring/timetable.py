"""When jobs run, as the rows say that the admin owns, and which of them are late."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db.models import OuterRef, QuerySet, Subquery
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from monitoring.models import JobRun

_LATE_AFTER_PERIODS = 3
_UNKNOWN_PERIOD_S = 86_400


class Timed(Protocol):
    """What is asked of a job here; `crontab` is empty where its period is fixed."""

    @property
    def name(self) -> str:
        """Its name, which its row has, too."""
        ...

    @property
    def every_s(self) -> int:
        """How often it runs unless the admin says otherwise, in seconds."""
        ...

    @property
    def crontab(self) -> str:
        """When it runs by the clock: minute, hour, day, month, day of the week."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """How often a job runs, and when it last began, or else was put on the timetable.

    `period_s` is None for one that is switched off; `since` where no worker ever ran.
    """

    period_s: float | None
    since: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Tell whether the job has not begun for three of its periods."""
        if self.period_s is None:
            return False
        patience = timedelta(seconds=_LATE_AFTER_PERIODS * self.period_s)
        return self.since is None or now - self.since > patience


def places(jobs: Iterable[Timed]) -> dict[str, Place]:
    """Return each job's place by its name, in one query once all of them have begun."""
    known = {job.name: job for job in jobs}
    rows = {row.name: row for row in _rows(known)}
    begun = {name: row.begun_at for name, row in rows.items()}
    begun |= {name: last_begin(name) for name in known if name not in rows}
    first = _first_record() if None in begun.values() else None
    return {
        name: Place(
            period_s=_period_s(job, rows.get(name)),
            since=begun[name] or _added_at(rows.get(name)) or first,
        )
        for name, job in known.items()
    }


def last_begin(name: str) -> datetime | None:
    """Return when the job last began; None when it never did."""
    newest = JobRun.objects.filter(name=name).order_by("-started_at")
    return newest.values_list("started_at", flat=True).first()


def _rows(names: Iterable[str]) -> QuerySet[PeriodicTask]:
    """Read the jobs' rows, each with the begin of its newest run as `begun_at`."""
    newest = JobRun.objects.filter(name=OuterRef("name")).order_by("-started_at")
    rows: QuerySet[PeriodicTask] = PeriodicTask.objects.filter(name__in=list(names))
    rows = rows.select_related("interval", "crontab")
    begun: QuerySet[PeriodicTask] = rows.annotate(
        begun_at=Subquery(newest.values("started_at")[:1])
    )
    return begun


def _added_at(row: PeriodicTask | None) -> datetime | None:
    """Return when a row was made, as long as nothing was ever sent for it."""
    if row is None or row.total_run_count:
        return None
    added_at: datetime | None = row.last_run_at
    return added_at


def _period_s(job: Timed, row: PeriodicTask | None) -> float | None:
    """Return how often it is scheduled now; None when it is switched off."""
    if row is None:
        return job.every_s
    if not row.enabled:
        return None
    if row.interval is not None:
        return float(row.interval.schedule.run_every.total_seconds())
    if job.crontab and row.crontab is not None and _words(row.crontab) == job.crontab:
        return job.every_s
    return max(job.every_s, _UNKNOWN_PERIOD_S)


def _words(crontab: CrontabSchedule) -> str:
    """Return it as it stands in a crontab."""
    return " ".join(
        [
            *(crontab.minute, crontab.hour, crontab.day_of_month),
            *(crontab.month_of_year, crontab.day_of_week),
        ]
    )


def _first_record() -> datetime | None:
    oldest = JobRun.objects.order_by("started_at")
    return oldest.values_list("started_at", flat=True).first()
