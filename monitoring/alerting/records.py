"""What the service's own records tell alert rules: checks, jobs, messages, backups."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Q
from django.utils import timezone

from monitoring import backup_age as backups
from monitoring import checkups, jobs, killed, registry, schema
from monitoring.channels import sending
from monitoring.models import Channel, JobRun
from monitoring.registry import STATES, Reading

_HOUR = timedelta(hours=1)


def checks(window: timedelta) -> list[Reading]:
    """Return each check's newest result: its place among the states."""
    newest = checkups.newest(since=timezone.now() - window)
    return [
        Reading(STATES.index(each.status) if each.status in STATES else None, 1, name)
        for name, each in newest.items()
    ]


def job_failures(window: timedelta) -> list[Reading]:
    """Count each job's failed runs, none once it has ended well again.

    One that was killed has failed, too. A job that has not ended within the window has
    no data.
    """
    now = timezone.now()
    since = now - window
    done, failed = Q(outcome=JobRun.Outcome.DONE), Q(outcome=JobRun.Outcome.FAILED)
    failed |= Q(pk__in=[run.pk for run in killed.runs(since=since, now=now)])
    rows = JobRun.objects.filter(done | failed, started_at__gte=since)
    found = rows.values("name").annotate(
        count=Count("pk"),
        failures=Count("pk", filter=failed),
        last_done=Max("started_at", filter=done),
        last_failed=Max("started_at", filter=failed),
    )
    return [
        Reading(_since_mended(dict(each)), each["count"], each["name"])
        for each in found.order_by("name")
    ]


def _since_mended(row: dict[str, Any]) -> int:
    last_done, last_failed = row["last_done"], row["last_failed"]
    is_mended = last_failed is None or (last_done and last_done > last_failed)
    return 0 if is_mended else int(row["failures"])


def deliveries(window: timedelta) -> list[Reading]:
    """Count the messages that were given up or keep failing, by channel."""
    failed = sending.in_trouble(since=timezone.now() - window)
    return [Reading(failed.get(kind, 0), 1, kind) for kind in Channel.Kind.values]


def backup_age(window: timedelta) -> list[Reading]:
    """Return how many hours ago the newest backup was made."""
    del window
    try:
        newest = backups.newest()
    except OSError:  # the check of the backups says so
        newest = None
    if newest is None:
        return [Reading(None)]
    return [Reading((timezone.now() - newest) / _HOUR, 1)]


def worker_silence(window: timedelta) -> list[Reading]:
    """Return how long ago a job last began, or since when there are tables for it.

    The schedule alone may live while no worker does, or no queue between them. What
    people run by hand meanwhile is no sign of a worker; where cron runs it all, it is.
    """
    del window
    # By number: a clock that was set back leaves times to come behind.
    newest = JobRun.objects.order_by("-pk").values_list("started_at", flat=True)
    scheduled = newest.exclude(slot__startswith=jobs.BY_HAND)
    last = scheduled.first() or newest.first() or schema.migrated_at()
    if last is None:
        return [Reading(None)]
    return [Reading(max(0.0, (timezone.now() - last).total_seconds()), 1)]


def job_names() -> list[str]:
    """Return the parts of `job_failures`."""
    return [job.name for job in jobs.registered()]


def check_names() -> list[str]:
    """Return the parts of `checks`."""
    return [probe.name for probe in registry.probes()]
