"""When jobs run, as the rows say that the admin owns, and which of them are late."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.db import connection

from monitoring.models import JobRun

_LATE_AFTER_PERIODS = 3
_UNKNOWN_PERIOD_S = 86_400


# The columns of `_Row`, in its order; every job has one, also one without a place yet.
_QUERY = """
SELECT job.name, task.enabled, span.every, span.period, clock.minute, clock.hour,
  clock.day_of_month, clock.month_of_year, clock.day_of_week, task.total_run_count,
  task.last_run_at,
  (SELECT run.started_at FROM monitoring_jobrun run WHERE run.name = job.name
   ORDER BY run.started_at DESC LIMIT 1)
FROM ({names}) job
LEFT JOIN django_celery_beat_periodictask task ON task.name = job.name
LEFT JOIN django_celery_beat_intervalschedule span ON span.id = task.interval_id
LEFT JOIN django_celery_beat_crontabschedule clock ON clock.id = task.crontab_id
"""
_NAME = "SELECT CAST(%s AS text) AS name"
_SUCCESSES = """
SELECT job.name,
  (SELECT run.ended_at FROM monitoring_jobrun run
   WHERE run.name = job.name AND run.outcome = 'done'
   ORDER BY run.started_at DESC LIMIT 1)
FROM ({names}) job
"""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What the admin has set: one of `every` and `crontab`, if it is either.

    `is_enabled` is None where nothing was set yet.
    """

    name: str
    is_enabled: bool | None
    every: timedelta | None
    crontab: str
    is_sent: bool
    last_run_at: datetime | None
    begun_at: datetime | None


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
    rows = list(_rows(known))
    is_whole = all(row.begun_at for row in rows)
    first = None if is_whole else _first_record()
    return {
        row.name: Place(
            period_s=_period_s(known[row.name], row),
            since=row.begun_at or _added_at(row) or first,
        )
        for row in rows
    }


def last_successes(names: Collection[str]) -> dict[str, datetime]:
    """Return when each job last ended well, without those that never did."""
    with connection.cursor() as cursor:
        cursor.execute(_of(_SUCCESSES, names), list(names))
        found = {name: _moment(ended_at) for name, ended_at in cursor}
    return {name: at for name, at in found.items() if at is not None}


def _rows(names: Collection[str]) -> Iterator[_Row]:
    """Read the jobs' rows, each with the begin of its newest run.

    Every `/health` asks for them: written out, it takes a quarter of the time.
    """
    with connection.cursor() as cursor:
        cursor.execute(_of(_QUERY, names), list(names))
        for name, enabled, every, unit, *crontab, sent, run_at, begun_at in cursor:
            yield _Row(
                name=name,
                is_enabled=None if enabled is None else bool(enabled),
                every=None if every is None else timedelta(**{unit: every}),
                crontab=" ".join(map(str, crontab)),
                is_sent=bool(sent),
                last_run_at=_moment(run_at),
                begun_at=_moment(begun_at),
            )


def _of(query: str, names: Collection[str]) -> str:
    """Put as many jobs into a query as there are names."""
    return query.format(names=" UNION ALL ".join([_NAME] * len(names)))


def _moment(stored: datetime | str | None) -> datetime | None:
    """Return a time as the database keeps it, in UTC; SQLite keeps text."""
    found = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return found.replace(tzinfo=UTC) if found and not found.tzinfo else found


def _added_at(row: _Row) -> datetime | None:
    """Return when a row was made, as long as nothing was ever sent for it."""
    return None if row.is_sent else row.last_run_at


def _period_s(job: Timed, row: _Row) -> float | None:
    """Return how often it is scheduled now; None when it is switched off."""
    if row.is_enabled is None:
        return job.every_s
    if not row.is_enabled:
        return None
    if row.every is not None:
        return row.every.total_seconds()
    if row.crontab == job.crontab:
        return job.every_s
    return max(job.every_s, _UNKNOWN_PERIOD_S)


def _first_record() -> datetime | None:
    oldest = JobRun.objects.order_by("started_at")
    return oldest.values_list("started_at", flat=True).first()
