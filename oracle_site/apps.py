"""The site itself: it prepares the database file and speaks for the whole."""

from typing import Any

from django.apps import AppConfig
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries
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
        # The checks are registered, and tasks know their queue and how to log.
        from oracle_site import celery, checks, task_logs  # noqa: F401

        _offer_drills()
        # At a request's end Django looks at the connections again. Looking at its
        # begin, too, costs every request a hop to a thread.
        request_started.disconnect(close_old_connections)
        request_started.disconnect(reset_queries)
        pre_migrate.connect(_use_write_ahead_log, sender=self)


def _offer_drills() -> None:
    from flags import drills

    def run(fault: drills.Fault, say: drills.Say) -> drills.Result:
        # What a drill takes would weigh on every start of every process.
        from oracle_site.drilling import running

        return running.run(fault, say)

    drills.register(run)


def _use_write_ahead_log(using: str, **_: Any) -> None:
    from django.db import connections

    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
