"""When the jobs run: rows that the admin owns, and one scheduler that reads them."""

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from celery.schedules import crontab
from celery.signals import beat_embedded_init
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, close_old_connections
from django.db.models import Case, QuerySet, When
from django.utils import timezone
from django_celery_beat.models import (
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
)
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from flags import runtime
from monitoring import jobs, leases, processes

log = structlog.get_logger(__name__)

LEASE = "beat"
LEASE_S = 15.0
_STANDBY_S = 2.0
_NO_OTHER = {"crontab": None, "solar": None, "clocked": None}
_CRON = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_MINUTE = timedelta(minutes=1)
_AHEAD = timedelta(seconds=5)
_LOOK_BACK_MINUTES = 2 * 24 * 60

_embedded_in: int | None = None


@beat_embedded_init.connect  # type: ignore[untyped-decorator]
def _remember_parent(**_: Any) -> None:
    global _embedded_in  # noqa: PLW0603 - one per process, made after the fork
    _embedded_in = os.getppid()


def ensure_defaults() -> None:
    """Make a row for each job that has none. An existing one is the admin's.

    A new one is due at once, so that a fresh site does not call its jobs late; one by
    the clock waits for its time.
    """
    for job in jobs.registered():
        if PeriodicTask.objects.filter(name=job.name).exists():
            continue
        with suppress(IntegrityError, ValidationError):  # another one made it just now
            PeriodicTask.objects.create(
                name=job.name,
                task=job.name,
                expire_seconds=_every_s(job),
                description=_follows(job),
                **_first_place(job, timezone.now()),
            )


def follow_settings() -> list[str]:
    """Bring the jobs that follow a runtime setting to it; return those that changed.

    The setting owns how often they run; whether they run is the admin's.
    """
    changed = []
    for job in (job for job in jobs.registered() if job.follows):
        every_s = _every_s(job)
        interval = _interval(every_s)
        rows = PeriodicTask.objects.filter(name=job.name).exclude(interval=interval)
        # Not by save(): whatever else the admin put into the row must not stop this.
        expire_seconds = Case(When(expires=None, then=every_s))
        if rows.update(**_NO_OTHER, interval=interval, expire_seconds=expire_seconds):
            changed.append(job.name)
            log.info("schedule.follows", job=job.name, every_s=every_s)
    if changed:
        PeriodicTasks.update_changed()
    return changed


def _first_place(job: jobs.Job, now: datetime) -> dict[str, Any]:
    if job.crontab:
        return {"crontab": _crontab(job.crontab), "last_run_at": now}
    every_s = _every_s(job)
    return {
        "interval": _interval(every_s),
        "last_run_at": now - timedelta(seconds=every_s),
    }


def _crontab(words: str) -> CrontabSchedule:
    """Return this one, in UTC; nothing keeps two starters from making two."""
    key = {**dict(zip(_CRON, words.split(), strict=True)), "timezone": "UTC"}
    same = CrontabSchedule.objects.filter(**key).first()
    return same or CrontabSchedule.objects.create(**key)


def _every_s(job: jobs.Job) -> int:
    return int(runtime.find(job.follows).get()) if job.follows else job.every_s


def _follows(job: jobs.Job) -> str:
    return f"How often: the setting {job.follows}." if job.follows else ""


def _interval(every_s: int) -> IntervalSchedule:
    """Return one of this length; nothing keeps two starters from making two."""
    key = {"every": every_s, "period": IntervalSchedule.SECONDS}
    same = IntervalSchedule.objects.filter(**key).first()
    return same or IntervalSchedule.objects.create(**key)


def slot(schedule: Any, now: datetime) -> str:
    """Name the period that a run at `now` stands for: its begin, in UTC.

    The same for every scheduler that sends it, also for one that sends it late because
    it took over from another.
    """
    if isinstance(schedule, crontab):
        return _last_time(schedule, now).isoformat()
    run_every = getattr(schedule, "run_every", None)
    period_s = max(1.0, run_every.total_seconds()) if run_every else 60.0
    begin = now.timestamp() // period_s * period_s
    return datetime.fromtimestamp(begin, tz=UTC).isoformat()


def _last_time(schedule: crontab, now: datetime) -> datetime:
    """Return the newest minute that is in a crontab; after two days just the minute."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    zone = getattr(schedule, "tz", UTC)
    for back in range(_LOOK_BACK_MINUTES):
        begin = minute - back * _MINUTE
        if _is_in(schedule, begin.astimezone(zone)):
            return begin
    return minute


def _is_in(schedule: crontab, at: datetime) -> bool:
    return (
        at.minute in schedule.minute
        and at.hour in schedule.hour
        and at.day in schedule.day_of_month
        and at.month in schedule.month_of_year
        and at.isoweekday() % 7 in schedule.day_of_week
    )


class LeasedScheduler(DatabaseScheduler):  # type: ignore[misc]
    """A scheduler of which any number may run: the one that has the lease sends."""

    _is_leading = False

    def setup_schedule(self) -> None:
        """Make the missing rows, then read them all."""
        ensure_defaults()
        super().setup_schedule()

    def enabled_models_qs(self) -> QuerySet[PeriodicTask]:
        """Return every row that is switched on.

        The stock one leaves out what runs at another hour of the day: a daily job whose
        time passed while no scheduler ran would not be made up for.
        """
        rows: QuerySet[PeriodicTask] = PeriodicTask.objects.enabled()
        return rows

    def enabled_models(self) -> list[PeriodicTask]:
        """Return the rows that this release can run.

        After a rollback there may be rows of a newer one.
        """
        rows: list[PeriodicTask] = super().enabled_models()
        for row in rows:
            if row.task not in self.app.tasks:
                log.warning("schedule.unknown_task", name=row.name, task=row.task)
        return [row for row in rows if row.task in self.app.tasks]

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due, if it is ours to send; return the seconds to wait.

        Raises: SystemExit when the worker that it was started in is gone.
        """
        if _embedded_in not in {None, os.getppid()}:
            log.warning("schedule.orphaned")
            raise SystemExit
        try:
            if not self._lead():
                return _STANDBY_S
            follow_settings()
            self._follow_clock()
            return min(float(super().tick(*args, **options)), LEASE_S / 3)
        except DatabaseError:
            log.exception("schedule.database_failed")
            close_old_connections()
            return _STANDBY_S

    def reserve(self, entry: ModelEntry) -> ModelEntry:
        """Note that it is sent now; the stock one forgets it when rows have changed."""
        sent: ModelEntry = super().reserve(entry)
        self.schedule[sent.name] = sent
        return sent

    def apply_async(self, entry: ModelEntry, *args: Any, **options: Any) -> Any:
        """Send one run, stamped with the period that it stands for."""
        headers: Mapping[str, Any] = entry.options.get("headers") or {}
        stamp = slot(entry.schedule, timezone.now())
        entry.options["headers"] = {**headers, "slot": stamp}
        return super().apply_async(entry, *args, **options)

    def close(self) -> None:
        """Let another scheduler lead at once; without a database it may soon."""
        super().close()
        if self._is_leading:
            with suppress(DatabaseError):
                leases.release(LEASE, holder=processes.me())

    def _follow_clock(self) -> None:
        """Let what ran later than now have run now: the clock was set back.

        Else nothing would be due until the clock is there again.
        """
        now = timezone.now()
        entries = (self._schedule or {}).values()
        if not any(entry.last_run_at > now + _AHEAD for entry in entries):
            return
        log.warning("schedule.clock_set_back")
        self.sync()
        PeriodicTask.objects.filter(last_run_at__gt=now).update(last_run_at=now)
        PeriodicTasks.update_changed()  # or an older mark would hide the next change
        self._initial_read, self._heap = True, None

    def _lead(self) -> bool:
        """Take or keep the lease; what was read as a standby is read anew."""
        was_leading = self._is_leading
        self._is_leading = leases.hold(
            LEASE, holder=processes.me(), ttl_s=LEASE_S, now=timezone.now()
        )
        if self._is_leading and not was_leading:
            log.info("schedule.leading")
            self._initial_read, self._heap = True, None
        return self._is_leading
