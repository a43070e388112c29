"""Monitoring's jobs: what each does, how often, and how long it may take."""

from celery import Task, shared_task
from django.db import Error
from django.utils import timezone

from monitoring import checkups, jobs, retention, upkeep
from monitoring.alerting import engine
from monitoring.channels import outbox, ping, sending
from monitoring.history import recording
from monitoring.reporting import scheduled


def _deliver() -> int:
    """Make what alerts call for, too, in case their rules can't be evaluated."""
    now = timezone.now()
    outbox.announce(now)
    return sending.deliver(now)


record_points = jobs.task(
    "monitoring.record_points",
    lambda: recording.record(timezone.now()),
    every_s=60,
    limit_s=120,
)
# The chat's answers and the alerts are looked at equally often.
evaluate_alerts = jobs.task(
    "monitoring.evaluate_alerts",
    lambda: engine.evaluate(timezone.now()),
    every_s=30,
    limit_s=120,
    follows="HEALTH_CHECK_INTERVAL",
)
deliver = jobs.task("monitoring.deliver", _deliver, every_s=15)
send_ping = jobs.task(
    "monitoring.ping", lambda: ping.send(timezone.now()), every_s=60, limit_s=30
)
purge_records = jobs.task(
    "monitoring.purge_records",
    lambda: retention.forget(timezone.now()),
    every_s=3600,
    limit_s=300,
)
clean_up_daily = jobs.task(
    "monitoring.clean_up_daily",
    upkeep.run,
    every_s=86_400,
    limit_s=600,
    crontab="0 0 * * *",
)
check_performance = jobs.task(
    "monitoring.check_performance",
    scheduled.check_performance,
    every_s=900,
    limit_s=120,
    crontab="*/15 * * * *",
)
report_hour = jobs.task(
    "monitoring.report_hour",
    scheduled.report_hour,
    every_s=3600,
    limit_s=120,
    crontab="0 * * * *",
)
report_day = jobs.task(
    "monitoring.report_day",
    scheduled.report_day,
    every_s=86_400,
    limit_s=300,
    crontab="10 0 * * *",
)
_check = jobs.register(
    "monitoring.check_health", checkups.run, every_s=300, crontab="*/5 * * * *"
)


@shared_task(**_check.task_options)
def check_health(self: Task) -> None:
    """Run the health checks; what the database can't keep is in the log at least."""
    try:
        jobs.run(_check.name, slot=jobs.slot_of(self.request))
    except Error:
        checkups.tell()
        raise
