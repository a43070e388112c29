"""System checks of the installation; `manage.py check --deploy` runs the last ones."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connection

_WAL_BUG_FROM = (3, 7, 0)
_WAL_BUG_FIXED = (3, 51, 3)


@register(Tags.database)
def sqlite_version(**_: Any) -> list[CheckMessage]:
    """Name SQLite versions whose write-ahead log can be damaged by two writers."""
    if connection.vendor != "sqlite":
        return []
    if not _WAL_BUG_FROM <= sqlite3.sqlite_version_info < _WAL_BUG_FIXED:
        return []
    return [
        Warning(
            f"SQLite {sqlite3.sqlite_version} has the WAL-reset bug (3.7.0 to 3.51.2): "
            "in rare cases two processes that write at once damage the database.",
            hint="Keep backups, upgrade SQLite to 3.51.3 or use PostgreSQL.",
            id="oracle_site.W001",
        )
    ]


@register(Tags.database)
def journal_mode(
    *, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """See that the database file has been switched to write-ahead logging."""
    if connection.vendor != "sqlite" or not databases:
        return []
    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    if mode in ("wal", "memory"):
        return []
    return [
        Warning(
            f"The SQLite database uses the journal mode {mode!r}, so readers and "
            "writers wait for each other.",
            hint="Run `manage.py migrate`, which switches it to WAL.",
            id="oracle_site.W002",
        )
    ]


@register(Tags.security, deploy=True)
def production(**_: Any) -> list[CheckMessage]:
    """Name what is fine on one's own machine and not in production."""
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "ALLOWED_HOSTS accepts every name.",
                hint="List the names under which people reach the service.",
                id="oracle_site.E001",
            )
        )
    if settings.ORACLE_LOCAL_OWNER:
        found.append(
            Warning(
                "ORACLE_LOCAL_OWNER is on: calls from this host need no credentials.",
                hint="Set ORACLE_LOCAL_OWNER=false and make a token with "
                "`manage.py api_token create`.",
                id="oracle_site.W003",
            )
        )
    if not settings.GEMINI_API_KEY:
        found.append(
            Error(
                "GEMINI_API_KEY is not set, so nothing can be answered.",
                hint="Set GEMINI_API_KEY or GEMINI_API_KEY_FILE.",
                id="oracle_site.E002",
            )
        )
    return found
