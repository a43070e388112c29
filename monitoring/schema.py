"""Whether the database has the tables that this release knows, no less and no more.

Django's own `migrate --check` does not see that a newer release has migrated it.
"""

import time
from datetime import datetime

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from monitoring.registry import DEGRADED, HEALTHY, UNHEALTHY, Health

Key = tuple[str, str]

_LOOK_EVERY_S = 60.0
_SHOWN = 3
_fine_at: float | None = None


def check() -> Health:
    """Compare what was applied with the files on disk, at most once a minute if well.

    What is not well is looked at anew each time, so that mending it shows at once.
    """
    global _fine_at  # noqa: PLW0603 - one per process
    now = time.monotonic()
    if _fine_at is None or now - _fine_at >= _LOOK_EVERY_S:
        health = _look()
        if health.status != HEALTHY:
            return health
        _fine_at = now
    return Health(HEALTHY, "Every migration is applied.")


def compared(*, wanted: set[Key], known: set[Key], applied: set[Key]) -> Health:
    """Judge by what this release wants applied, what it knows, and what is applied.

    It knows more than it wants: also those that were squashed into another one.
    """
    if missing := wanted - applied:
        return Health(UNHEALTHY, f"Not applied: {_names(missing)}.")
    if unknown := applied - known:
        return Health(
            DEGRADED, f"Applied by another release, unknown here: {_names(unknown)}."
        )
    return Health(HEALTHY, "Every migration is applied.")


def migrated_at() -> datetime | None:
    """Return when the tables were last changed; None: there are none."""
    rows = MigrationRecorder(connection).migration_qs.order_by("-applied")
    newest: datetime | None = rows.values_list("applied", flat=True).first()
    return newest


def _look() -> Health:
    try:
        loader = MigrationLoader(connection)
    except Error as error:
        return Health(UNHEALTHY, f"They can't be read: {type(error).__name__}.")
    files = loader.disk_migrations
    return compared(
        wanted=set(loader.graph.nodes),
        known=set(files) | {key for each in files.values() for key in each.replaces},
        # Rows of an app that is no longer installed are nobody's.
        applied={
            key for key in loader.applied_migrations if key[0] in loader.migrated_apps
        },
    )


def _names(keys: set[Key]) -> str:
    names = [f"{app}.{name}" for app, name in sorted(keys)]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
