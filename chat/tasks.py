"""The chat's jobs: what each does, and how often."""

from chat import conf, purge, records, registrations, stored_interactions
from monitoring import jobs

reap_generations = jobs.task(
    "chat.reap_generations",
    records.reap,
    every_s=conf.HEALTH_CHECK_INTERVAL.default,
    follows=conf.HEALTH_CHECK_INTERVAL.name,
)
clean_up_sessions = jobs.task(
    "chat.clean_up_sessions",
    registrations.clean_up,
    every_s=conf.CLEANUP_INTERVAL.default,
    follows=conf.CLEANUP_INTERVAL.name,
)
delete_interactions = jobs.task(
    "chat.delete_interactions", stored_interactions.delete_orphans, every_s=60
)
purge_expired = jobs.task("chat.purge_expired", purge.purge_expired, every_s=3600)
