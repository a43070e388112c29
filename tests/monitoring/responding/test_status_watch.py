"""What was seen last is what everybody gets; too old, it tells nothing."""

import time
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from flags import changes, runtime
from flags.changes import Actor
from flags.models import Change
from monitoring import incidents
from monitoring.models import CheckResult
from oracle_site import status, status_watch
from tests.monitoring.responding import making

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    status_watch.forget()
    yield
    status_watch.forget()


def _switch(*, is_on: bool) -> None:
    actor = Actor(name="alice", channel=Change.Channel.COMMAND)
    changes.apply({"PUBLIC_STATUS_PAGE": is_on}, actor=actor, reason="Test")


def _publish() -> None:
    incidents.publish(making.opened().pk, title="Slow", text="We look.", actor="bob")


def test_it_is_off_until_somebody_switches_it_on() -> None:
    status_watch.look()
    assert status_watch.latest().is_on is False

    _switch(is_on=True)
    status_watch.look()
    page = status_watch.latest()
    assert page.is_on
    assert "The parts of the service" in page.html


def test_before_the_first_look_it_is_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert status_watch.latest().is_on is False

    monkeypatch.setenv("PUBLIC_STATUS_PAGE", "true")
    assert status_watch.latest() == status_watch.Page(is_on=True)


def test_what_is_too_old_tells_nothing() -> None:
    _switch(is_on=True)
    status_watch.look()

    later = status_watch.latest(now_s=time.monotonic() + 31)

    assert later == status_watch.Page(is_on=True)


def test_while_it_is_off_nothing_else_is_asked(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    runtime.forget()
    status_watch.look()

    with django_assert_num_queries(0):
        status_watch.look()


def test_asking_for_it_costs_no_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    _switch(is_on=True)
    _publish()
    status_watch.look()

    with django_assert_num_queries(0):
        assert [notice.title for notice in status.notices()] == ["Slow"]
        assert "Slow" in status_watch.latest().html


def test_the_chat_tells_nothing_while_it_is_off() -> None:
    _switch(is_on=True)
    _publish()
    _switch(is_on=False)

    status_watch.look()

    assert status.notices() == []


def test_without_its_tables_nothing_can_be_told() -> None:
    _switch(is_on=True)
    status_watch.look()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE monitoring_checkresult RENAME TO away")

    status_watch.look()

    assert status_watch.latest() == status_watch.Page(is_on=True)
    assert status.notices() == []


@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_nothing_is_not_said_to_work() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the trigger is written for SQLite")
    _switch(is_on=True)
    CheckResult.objects.create(name="database_write", status="healthy", took_ms=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER takes_nothing BEFORE INSERT ON monitoring_total"
            " BEGIN SELECT RAISE(ABORT, 'read-only'); END"
        )
    try:
        status_watch.look()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER takes_nothing")

    snapshot = status_watch.latest().snapshot
    assert snapshot is not None
    words = {part.name: part.words for part in snapshot.parts}
    assert words["Chat"] == "Messages can't be sent now."
    assert words["Database"] == "It can't be written now."
