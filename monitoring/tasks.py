"""Celery's doors to monitoring."""

from datetime import timedelta

from celery import Task, shared_task
from django.utils import timezone

from monitoring import jobs
from monitoring.models import JobRun

_KEEP_RUNS = timedelta(days=7)


def _purge_records() -> int:
    old = JobRun.objects.filter(started_at__lt=timezone.now() - _KEEP_RUNS)
    return jobs.delete_in_batches(old)


_purge = jobs.register("monitoring.purge_records", _purge_records, every_s=3600)


@shared_task(**_purge.task_options)
def purge_records(self: Task) -> None:
    """Forget runs of jobs that are older than a week."""
    jobs.run(_purge.name, slot=jobs.slot_of(self.request))
