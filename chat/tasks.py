"""Celery's doors to chat."""

from celery import Task, shared_task

from chat import purge, records
from monitoring import jobs

_reap = jobs.register("chat.reap_generations", records.reap, every_s=15)
_purge = jobs.register("chat.purge_expired", purge.purge_expired, every_s=3600)


@shared_task(**_reap.task_options)
def reap_generations(self: Task) -> None:
    """Mark answers as interrupted whose process is gone."""
    jobs.run(_reap.name, slot=jobs.slot_of(self.request))


@shared_task(**_purge.task_options)
def purge_expired(self: Task) -> None:
    """Forget dead tokens and full rate buckets."""
    jobs.run(_purge.name, slot=jobs.slot_of(self.request))
