"""What the database needs once a day."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from monitoring import jobs, upkeep
from monitoring.models import Sample


@pytest.mark.django_db
def test_logins_that_have_expired_are_forgotten() -> None:
    now = timezone.now()
    for key, hours in (("old", -1), ("new", 1)):
        end = now + timedelta(hours=hours)
        Session.objects.create(session_key=key, session_data="-", expire_date=end)

    run = jobs.run("monitoring.clean_up_daily")

    assert run.detail == "1"
    assert Session.objects.get().session_key == "new"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite's own tables")
@pytest.mark.django_db(transaction=True)
def test_the_planner_knows_the_tables_and_the_log_is_brought_home() -> None:
    Sample.objects.bulk_create(Sample(name="one", value=1) for _ in range(500))

    upkeep.run()

    with connection.cursor() as cursor:
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = 'monitoring_sample'")
        assert cursor.fetchall()
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        _, in_log, at_home = cursor.fetchone()
    assert in_log == at_home


@pytest.mark.django_db
def test_it_works_inside_a_transaction_too() -> None:
    upkeep.run()

    assert Sample.objects.count() == 0
