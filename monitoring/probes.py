"""What monitoring itself looks at."""

from django.utils import timezone

from monitoring import backup_age, database, host, jobs, registry, schema
from monitoring.alerting import signals  # noqa: F401 - they register themselves
from monitoring.registry import DEGRADED, HEALTHY, Health, Levels
from monitoring.responding import chronicles


def _worker() -> Health:
    """Notice that no worker runs the jobs: each has to begin within three periods."""
    if late := list(jobs.late(timezone.now())):
        return Health(DEGRADED, f"Late: {', '.join(late)}.")
    return Health(HEALTHY, f"All {len(jobs.registered())} jobs are on time.")


registry.register_probe("database", database.reading)
registry.register_probe("database_write", database.writing)
registry.register_probe("migrations", schema.check)
registry.register_probe("worker", _worker)
registry.register_probe("disk", host.disk)
registry.register_probe("memory", host.memory)
registry.register_probe("logs", host.logs)
registry.register_probe("backup", backup_age.check)
registry.register_levels(
    Levels(
        name="oracle_backup_age_seconds",
        help="How old the newest backup is; without one there is none.",
        read=backup_age.level,
    )
)
chronicles.register()
