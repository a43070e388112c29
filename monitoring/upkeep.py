"""What the database needs once a day: old logins forgotten, its planner informed."""

from contextlib import suppress

from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.utils import timezone

from monitoring import jobs

# Rows per index that SQLite looks at: it holds the write lock as long as it looks.
_ANALYSIS_LIMIT = 400


def run() -> int:
    """Do it all; return how many expired logins went."""
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    count = jobs.delete_in_batches(expired)
    analyze()
    if connection.vendor == "sqlite":
        checkpoint()
    return count


def analyze() -> None:
    """Let the database count what its planner goes by, table by table.

    Each is a statement of its own, so that nobody waits for more than one of them.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit={_ANALYSIS_LIMIT}")
        for table in sorted(connection.introspection.django_table_names()):
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")


def checkpoint() -> None:
    """Bring SQLite's write-ahead log home, as far as that goes without waiting."""
    with suppress(OperationalError), connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
