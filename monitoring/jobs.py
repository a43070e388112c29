"""What runs in the background: which jobs there are, and one run per period of each.

The queue may deliver a run twice, and two schedulers may send it twice. The row of its
slot, taken once, is what makes it one run. A job looks for itself what is due, so that
a lost run costs one period.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Required, TypedDict, Unpack

import structlog
from celery import Task, shared_task
from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from monitoring import processes, timetable
from monitoring.models import JobRun

log = structlog.get_logger(__name__)

# How the slots of runs begin that no schedule sent.
BY_HAND = "by-hand-"
_BATCH = 50
_CLOCKS_DIFFER = timedelta(minutes=1)  # on two hosts, at most


class UnknownJob(LookupError):
    """There is no job of this name; the message lists those that exist."""


@dataclass(frozen=True, slots=True)
class Job:
    """A function that is safe to run twice and returns how many things it did.

    `follows` names the runtime setting that says how often it runs, if one does.
    One with a `crontab` (minute, hour, day, month, day of the week) runs by the clock,
    in UTC, which is every `every_s`.
    """

    name: str
    func: Callable[[], int]
    every_s: int
    limit_s: int = 60
    follows: str = ""
    crontab: str = ""

    @property
    def task_options(self) -> dict[str, Any]:
        """Return what its Celery task needs: a run is of no use in the next period."""
        return {
            "name": self.name,
            "bind": True,
            "expires": self.every_s,
            "soft_time_limit": self.limit_s - 5,
            "time_limit": self.limit_s,
        }


@dataclass(frozen=True, slots=True)
class Run:
    """How a run went; `outcome` is None when the slot was somebody else's."""

    name: str
    slot: str
    outcome: str | None
    detail: str


_jobs: dict[str, Job] = {}


class Options(TypedDict, total=False):
    """How a job runs; the meanings are those of `Job`."""

    every_s: Required[int]
    limit_s: int
    follows: str
    crontab: str


def register(name: str, func: Callable[[], int], **options: Unpack[Options]) -> Job:
    """Make a job known; it runs every `every_s` and is killed after `limit_s`."""
    job = _jobs[name] = Job(name=name, func=func, **options)
    return job


def task(name: str, func: Callable[[], int], **options: Unpack[Options]) -> Task:
    """Make a job known, and return the Celery task that the schedule sends for it."""
    job = register(name, func, **options)

    @shared_task(**job.task_options)  # type: ignore[untyped-decorator]
    def door(self: Task) -> None:
        run(name, slot=slot_of(self.request))

    return door


def registered() -> list[Job]:
    """Return every job of every app (they register in their `tasks.py`), by name."""
    _discover()
    return sorted(_jobs.values(), key=lambda job: job.name)


@cache
def _discover() -> None:
    """Look for them once: looking for modules that are not there takes a while."""
    autodiscover_modules("tasks")


def run(name: str, *, slot: str | None = None) -> Run:
    """Run a job now, unless this slot of it was run already or is running.

    Without a slot it always runs. A run whose process died is run again, and so is a
    slot that a clock, set back since, was in before.
    Raises: UnknownJob, and whatever the job raises, after recording it.
    """
    job = _find(name)
    slot = slot or f"{BY_HAND}{uuid.uuid4().hex}"
    record = _take(job, slot)
    if record is None:
        return Run(name, slot, None, "")
    try:
        detail = str(job.func())
    except Exception as error:
        log.exception("job.failed", job=name, slot=slot)
        _end(record, JobRun.Outcome.FAILED, type(error).__name__)
        raise
    _end(record, JobRun.Outcome.DONE, detail)
    return Run(name, slot, JobRun.Outcome.DONE.value, detail)


def slot_of(request: Mapping[str, Any]) -> str:
    """Return the slot that the scheduler stamped on a task, else the task's own id."""
    return str(request.get("slot") or request.get("id"))


def last_success(name: str) -> datetime | None:
    """Return when the job last ended well; None when it never did."""
    done = JobRun.objects.filter(name=name, outcome=JobRun.Outcome.DONE)
    return done.order_by("-started_at").values_list("ended_at", flat=True).first()


def period_s(name: str) -> float | None:
    """Return how often a job is to run now; None: it was switched off.

    Raises: UnknownJob.
    """
    job = _find(name)
    return timetable.places([job])[name].period_s


def late(now: datetime) -> Iterator[str]:
    """Yield the name of each job that has not begun for three of its periods.

    A job that never ran is measured from when it was put on the timetable, or else
    from the oldest record of any job; it is late when there is neither: then no worker
    ever ran. One that was switched off is not late. Everything is read at once.
    """
    places = timetable.places(registered())
    return (name for name, place in places.items() if place.is_late(now))


def delete_in_batches(rows: "QuerySet[Model]") -> int:
    """Delete rows without keeping others from writing; return how many went."""
    count = 0
    while ids := list(rows.values_list("pk", flat=True)[:_BATCH]):
        count += rows.filter(pk__in=ids).delete()[0]
    return count


def _find(name: str) -> Job:
    if name not in _jobs:
        names = ", ".join(job.name for job in registered())
        if name not in _jobs:
            raise UnknownJob(f"There is no job {name!r}. There are: {names}.")
    return _jobs[name]


def _take(job: Job, slot: str) -> JobRun | None:
    """Take the slot's row, or take it over from who died over it or ran too early."""
    me = processes.me()
    try:
        with transaction.atomic():
            return JobRun.objects.create(name=job.name, slot=slot, holder=me)
    except IntegrityError:
        record = JobRun.objects.get(name=job.name, slot=slot)
    now = timezone.now()
    if _is_from_ahead(record, now):
        _delete_ahead(record, now)
    elif not _is_given_up(job, record, now):
        return None
    unchanged = _unchanged(record)
    record.holder, record.started_at, record.outcome = me, now, JobRun.Outcome.RUNNING
    taken = {"holder": me, "started_at": now, "outcome": JobRun.Outcome.RUNNING}
    return record if unchanged.update(**taken, ended_at=None, detail="") else None


def _is_given_up(job: Job, record: JobRun, now: datetime) -> bool:
    """Tell whether it never ended, and nobody is at it any more."""
    if record.outcome != JobRun.Outcome.RUNNING:
        return False
    is_over_limit = now - record.started_at > timedelta(seconds=job.limit_s)
    return is_over_limit or processes.is_known_dead(record.holder)


def _is_from_ahead(record: JobRun, now: datetime) -> bool:
    """Tell whether it ended by a clock that has been set back since.

    The slot's time comes twice then, so that its run looks like one of today: those of
    any job that lie ahead tell.
    """
    if record.outcome == JobRun.Outcome.RUNNING:
        return False
    return _ended_after(now + _CLOCKS_DIFFER).exists()


def _delete_ahead(record: JobRun, now: datetime) -> None:
    """Free all later slots, or each job would wait for the first that is not taken."""
    count = delete_in_batches(_ended_after(now).exclude(pk=record.pk))
    log.warning("job.clock_set_back", deleted=count)


def _ended_after(begin: datetime) -> "QuerySet[JobRun]":
    """Select the runs that have ended and were begun later than this."""
    later = JobRun.objects.filter(started_at__gt=begin)
    return later.exclude(outcome=JobRun.Outcome.RUNNING)


def _end(record: JobRun, outcome: JobRun.Outcome, detail: str) -> None:
    """Record the outcome, over a new connection if the job's own was cut."""
    end = partial(
        _unchanged(record).update,
        ended_at=timezone.now(),
        outcome=outcome,
        detail=detail[:200],
    )
    try:
        end()
    except (InterfaceError, OperationalError):
        connection.close()
        end()


def _unchanged(record: JobRun) -> "QuerySet[JobRun]":
    """Select the row while it is still this very run, and as far."""
    return JobRun.objects.filter(
        pk=record.pk,
        holder=record.holder,
        started_at=record.started_at,
        outcome=record.outcome,
    )
