"""Celery's doors to monitoring."""

from celery import Task, shared_task
from django.db import Error
from django.utils import timezone

from monitoring import checkups, jobs, retention, upkeep
from monitoring.alerting import engine
from monitoring.channels import outbox, ping, sending
from monitoring.history import recording
from monitoring.reporting import scheduled


def _deliver_messages() -> int:
    """Make what alerts call for, too, in case their rules can't be evaluated."""
    now = timezone.now()
    outbox.announce(now)
    return sending.deliver(now)


_record = jobs.register(
    "monitoring.record_points",
    lambda: recording.record(timezone.now()),
    every_s=60,
    limit_s=120,
)
_purge = jobs.register(
    "monitoring.purge_records",
    lambda: retention.forget(timezone.now()),
    every_s=3600,
    limit_s=300,
)
_check = jobs.register(
    "monitoring.check_health", checkups.run, every_s=300, crontab="*/5 * * * *"
)
_upkeep = jobs.register(
    "monitoring.clean_up_daily",
    upkeep.run,
    every_s=86_400,
    limit_s=600,
    crontab="0 0 * * *",
)
_perform = jobs.register(
    "monitoring.check_performance",
    scheduled.check_performance,
    every_s=900,
    limit_s=120,
    crontab="*/15 * * * *",
)
_hour = jobs.register(
    "monitoring.report_hour",
    scheduled.report_hour,
    every_s=3600,
    limit_s=120,
    crontab="0 * * * *",
)
_day = jobs.register(
    "monitoring.report_day",
    scheduled.report_day,
    every_s=86_400,
    limit_s=300,
    crontab="10 0 * * *",
)
# The chat's answers and the alerts are looked at equally often.
_evaluate = jobs.register(
    "monitoring.evaluate_alerts",
    lambda: engine.evaluate(timezone.now()),
    every_s=30,
    limit_s=120,
    follows="HEALTH_CHECK_INTERVAL",
)
_deliver = jobs.register("monitoring.deliver", _deliver_messages, every_s=15)
_ping = jobs.register(
    "monitoring.ping", lambda: ping.send(timezone.now()), every_s=60, limit_s=30
)


@shared_task(**_record.task_options)
def record_points(self: Task) -> None:
    """Add what happened to the minutes and hours of every series."""
    jobs.run(_record.name, slot=jobs.slot_of(self.request))


@shared_task(**_purge.task_options)
def purge_records(self: Task) -> None:
    """Forget what monitoring has kept for long enough."""
    jobs.run(_purge.name, slot=jobs.slot_of(self.request))


@shared_task(**_check.task_options)
def check_health(self: Task) -> None:
    """Run the health checks; what the database can't keep is in the log at least."""
    try:
        jobs.run(_check.name, slot=jobs.slot_of(self.request))
    except Error:
        checkups.tell()
        raise


@shared_task(**_upkeep.task_options)
def clean_up_daily(self: Task) -> None:
    """Do what the database needs once a day."""
    jobs.run(_upkeep.name, slot=jobs.slot_of(self.request))


@shared_task(**_evaluate.task_options)
def evaluate_alerts(self: Task) -> None:
    """Hold the alert rules against their metrics, and tell people."""
    jobs.run(_evaluate.name, slot=jobs.slot_of(self.request))


@shared_task(**_deliver.task_options)
def deliver(self: Task) -> None:
    """Send the messages that are due."""
    jobs.run(_deliver.name, slot=jobs.slot_of(self.request))


@shared_task(**_ping.task_options)
def send_ping(self: Task) -> None:
    """Give a sign of life to a watcher elsewhere."""
    jobs.run(_ping.name, slot=jobs.slot_of(self.request))


@shared_task(**_perform.task_options)
def check_performance(self: Task) -> None:
    """Report on the last quarter of an hour, and say what its figures suggest."""
    jobs.run(_perform.name, slot=jobs.slot_of(self.request))


@shared_task(**_hour.task_options)
def report_hour(self: Task) -> None:
    """Report on the hour before."""
    jobs.run(_hour.name, slot=jobs.slot_of(self.request))


@shared_task(**_day.task_options)
def report_day(self: Task) -> None:
    """Report on the day before."""
    jobs.run(_day.name, slot=jobs.slot_of(self.request))
