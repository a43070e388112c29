"""The site itself: it prepares the database file and speaks for the whole."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class OracleSiteConfig(AppConfig):
    """Wires the three apps together."""

    name = "oracle_site"
    verbose_name = "Site"

    def ready(self) -> None:
        """Switch SQLite to write-ahead logging once, when it is migrated.

        The mode is kept in the file. Setting it at every connection makes processes
        that start together fail on one another's lock.
        """
        from oracle_site import checks  # noqa: F401 - registers the checks

        pre_migrate.connect(_use_write_ahead_log, sender=self)


def _use_write_ahead_log(using: str, **_: Any) -> None:
    from django.db import connections

    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
