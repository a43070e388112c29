"""Celery's doors to monitoring."""

from datetime import timedelta

from celery import Task, shared_task
from django.utils import timezone

from monitoring import jobs
from monitoring.models import JobRun, Sample

_KEEP_RUNS = timedelta(days=7)
_KEEP_SAMPLES = timedelta(days=2)


def _purge_records() -> int:
    now = timezone.now()
    runs = JobRun.objects.filter(started_at__lt=now - _KEEP_RUNS)
    samples = Sample.objects.filter(at__lt=now - _KEEP_SAMPLES)
    return jobs.delete_in_batches(runs) + jobs.delete_in_batches(samples)


_purge = jobs.register("monitoring.purge_records", _purge_records, every_s=3600)


@shared_task(**_purge.task_options)
def purge_records(self: Task) -> None:
    """Forget runs of jobs after a week and single measurements after two days."""
    jobs.run(_purge.name, slot=jobs.slot_of(self.request))
