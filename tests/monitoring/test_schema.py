"""Migrations on disk and in the database, compared both ways."""

import time

import pytest
from django.db.migrations.recorder import MigrationRecorder

from monitoring import schema
from monitoring.schema import Key

ONE, TWO, OLD = ("chat", "0001_initial"), ("chat", "0002_more"), ("chat", "0000_old")
_ROWS = MigrationRecorder.Migration.objects


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be remembered from before, nor afterwards."""
    monkeypatch.setattr(schema, "_fine_at", None)


@pytest.mark.parametrize(
    ("wanted", "known", "applied", "status", "words"),
    [
        ({ONE, TWO}, {ONE, TWO}, {ONE, TWO}, "healthy", "Every migration"),
        ({ONE, TWO}, {ONE, TWO}, {ONE}, "unhealthy", "Not applied: chat.0002_more."),
        ({ONE}, {ONE}, {ONE, TWO}, "degraded", "unknown here: chat.0002_more."),
        ({ONE, TWO}, {ONE, TWO}, {ONE, OLD}, "unhealthy", "Not applied"),
        ({ONE}, {ONE, OLD}, {ONE, OLD}, "healthy", "Every migration"),
        ({ONE}, {ONE}, set(), "unhealthy", "Not applied: chat.0001_initial."),
    ],
)
def test_both_sides_must_agree(
    wanted: set[Key], known: set[Key], applied: set[Key], status: str, words: str
) -> None:
    health = schema.compared(wanted=wanted, known=known, applied=applied)

    assert health.status == status
    assert words in health.sentence


def test_many_names_are_shortened() -> None:
    wanted = {("chat", f"000{number}") for number in range(7)}

    health = schema.compared(wanted=wanted, known=wanted, applied=set())

    assert health.sentence.endswith("chat.0000, chat.0001, chat.0002 and 4 more.")


@pytest.mark.django_db
def test_a_database_of_this_release_is_healthy() -> None:
    assert schema.check().status == "healthy"


@pytest.mark.django_db
def test_a_migration_that_was_not_applied_is_named() -> None:
    _ROWS.filter(app="chat", name="0002_persistent_sessions").delete()

    health = schema.check()

    assert health.status == "unhealthy"
    assert health.sentence == "Not applied: chat.0002_persistent_sessions."


@pytest.mark.django_db
def test_a_migration_of_a_newer_release_is_named() -> None:
    _ROWS.create(app="chat", name="9999_from_the_future")

    health = schema.check()

    assert health.status == "degraded"
    assert "chat.9999_from_the_future" in health.sentence


@pytest.mark.django_db
def test_rows_of_an_app_that_was_removed_are_nobodys() -> None:
    _ROWS.create(app="an_old_app", name="0001_initial")

    assert schema.check().status == "healthy"


@pytest.mark.django_db
def test_what_is_well_is_remembered_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    schema.check()
    _ROWS.filter(app="chat").delete()

    now += 59
    early = schema.check()
    now += 2
    late = schema.check()

    assert (early.status, late.status) == ("healthy", "unhealthy")


@pytest.mark.django_db
def test_what_is_not_well_is_looked_at_again_at_once() -> None:
    row = _ROWS.create(app="chat", name="9999_from_the_future")
    assert schema.check().status == "degraded"

    row.delete()

    assert schema.check().status == "healthy"
