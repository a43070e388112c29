"""Celery's doors to chat."""

from celery import Task, shared_task

from chat import conf, purge, records, registrations, stored_interactions
from monitoring import jobs

_reap = jobs.register(
    "chat.reap_generations",
    records.reap,
    every_s=conf.HEALTH_CHECK_INTERVAL.default,
    follows=conf.HEALTH_CHECK_INTERVAL.name,
)
_clean_up = jobs.register(
    "chat.clean_up_sessions",
    registrations.clean_up,
    every_s=conf.CLEANUP_INTERVAL.default,
    follows=conf.CLEANUP_INTERVAL.name,
)
_delete = jobs.register(
    "chat.delete_interactions", stored_interactions.delete_orphans, every_s=60
)
_purge = jobs.register("chat.purge_expired", purge.purge_expired, every_s=3600)


@shared_task(**_reap.task_options)
def reap_generations(self: Task) -> None:
    """Mark answers as interrupted whose process is gone."""
    jobs.run(_reap.name, slot=jobs.slot_of(self.request))


@shared_task(**_clean_up.task_options)
def clean_up_sessions(self: Task) -> None:
    """Close the sessions that may no longer live."""
    jobs.run(_clean_up.name, slot=jobs.slot_of(self.request))


@shared_task(**_delete.task_options)
def delete_interactions(self: Task) -> None:
    """Delete at the provider what belongs to no conversation any more."""
    jobs.run(_delete.name, slot=jobs.slot_of(self.request))


@shared_task(**_purge.task_options)
def purge_expired(self: Task) -> None:
    """Forget dead tokens and full rate buckets."""
    jobs.run(_purge.name, slot=jobs.slot_of(self.request))
