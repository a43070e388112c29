"""Whether the database can be read and written, found out without leaving a trace."""

import sqlite3
import time
from collections.abc import Iterator

import pytest
from django.db import connection

from monitoring import database
from monitoring.models import Total

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other() -> Iterator[sqlite3.Connection]:
    """Another process's connection, as far as SQLite can tell."""
    if connection.vendor != "sqlite":
        pytest.skip("one writer at a time is SQLite's")
    opened = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    yield opened
    opened.close()


def test_a_sound_database_can_be_read_and_written() -> None:
    assert database.reading().status == "healthy"
    assert database.writing().status == "healthy"


def test_what_was_written_is_rolled_back() -> None:
    database.writing()

    assert not Total.objects.exists()


def test_a_database_that_somebody_writes_for_long_is_busy_and_holds_nobody_up(
    other: sqlite3.Connection,
) -> None:
    other.execute("BEGIN IMMEDIATE")
    began_at = time.monotonic()

    health = database.writing()

    assert health.status == "degraded"
    assert health.sentence == "It is busy: a write waited 0.5 s in vain."
    assert time.monotonic() - began_at < 10  # SQLite's own patience is 20 s
    assert database.reading().status == "healthy"
    other.execute("ROLLBACK")
    assert database.writing().status == "healthy"


def test_others_are_not_made_impatient(other: sqlite3.Connection) -> None:
    del other
    database.writing()

    assert connection.settings_dict["OPTIONS"]["timeout"] == 20


def test_a_database_without_its_tables_is_unhealthy(
    other: sqlite3.Connection,
) -> None:
    other.execute("ALTER TABLE monitoring_total RENAME TO moved")
    try:
        reading, writing = database.reading(), database.writing()
    finally:
        other.execute("ALTER TABLE moved RENAME TO monitoring_total")

    assert reading.status == writing.status == "unhealthy"
    assert reading.sentence == "It can't be read: OperationalError."
    assert writing.sentence == "It can't be written: OperationalError."
