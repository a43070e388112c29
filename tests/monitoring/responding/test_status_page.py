"""The public page says in plain words how it is, and nothing internal."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from monitoring import health, incidents
from monitoring.models import CheckResult, Incident
from monitoring.registry import Service
from monitoring.responding import status_page
from monitoring.responding.status_page import Snapshot
from tests.monitoring.responding import making

pytestmark = pytest.mark.django_db

SECRET = "disk /dev/sda1 of host-7"


@pytest.fixture(autouse=True)
def services(monkeypatch: pytest.MonkeyPatch) -> dict[str, Service]:
    """What the services of this process say, so that no test depends on another's."""
    found = {
        "database": Service("connected"),
        "gemini_api": Service("configured"),
        "background_jobs": Service("on_time"),
    }
    monkeypatch.setattr(health, "services", lambda: found)
    return found


def _read() -> Snapshot:
    return status_page.read(timezone.now())


def _found(name: str, status: str, *, minutes_ago: float = 1) -> None:
    CheckResult.objects.create(
        name=name,
        status=status,
        sentence=SECRET,
        took_ms=1,
        at=timezone.now() - timedelta(minutes=minutes_ago),
    )


def _states() -> dict[str, str]:
    return {part.name: part.state for part in _read().parts}


def _published(title: str = "Answers are slow") -> Incident:
    incident = incidents.open_for(making.alert(summary=SECRET))
    assert incident is not None
    incidents.add_note(incident.pk, SECRET, actor="alice-the-operator")
    return incidents.publish(
        incident.pk, title=title, text="We look into it.", actor="alice-the-operator"
    )


def test_all_is_well() -> None:
    for name in ("database", "database_write", "model", "worker"):
        _found(name, "healthy")

    snapshot = _read()

    assert snapshot.headline == "Everything works."
    assert [part.name for part in snapshot.parts] == [
        "Chat",
        "Model",
        "Background work",
        "Database",
    ]
    assert {part.state for part in snapshot.parts} == {"healthy"}


def test_the_newest_finding_counts() -> None:
    _found("model", "degraded", minutes_ago=5)
    _found("model", "healthy", minutes_ago=1)
    _found("worker", "healthy", minutes_ago=5)
    _found("worker", "degraded", minutes_ago=1)

    assert _states()["Model"] == "healthy"
    assert _states()["Background work"] == "degraded"
    assert _read().headline == "It works, with limits."


def test_an_old_finding_says_nothing_of_now() -> None:
    _found("model", "degraded", minutes_ago=20)

    assert _states()["Model"] == "healthy"


def test_what_nobody_knows_is_said_so(services: dict[str, Service]) -> None:
    del services["gemini_api"]

    snapshot = _read()

    assert snapshot.parts[1].words == "We can't tell right now."
    assert snapshot.headline == "We can't tell everything right now."


def test_a_full_disk_counts_only_once_it_is_grave() -> None:
    _found("disk", "degraded")
    assert _states()["Chat"] == "healthy"

    _found("disk", "unhealthy", minutes_ago=0.5)
    assert _states()["Chat"] == "unhealthy"
    assert _read().headline == "A part does not work."


def test_only_published_incidents_are_shown_with_public_updates() -> None:
    making.opened("Internal only")
    incident = _published()
    incidents.set_status(
        incident.pk, "identified", actor="bob", text="Found it.", is_public=True
    )

    snapshot = _read()

    [notice] = snapshot.open_notices
    assert (notice.title, notice.status) == ("Answers are slow", "Identified")
    assert [update.text for update in notice.updates] == [
        "Identified. Found it.",
        "We look into it.",
    ]
    assert snapshot.headline == "We are working on 1 problem."


def test_resolved_ones_stay_for_ninety_days() -> None:
    recent = _published("Recent")
    incidents.resolve(recent.pk, actor="bob")
    Incident.objects.create(
        title="x",
        public_title="Long ago",
        is_public=True,
        opened_by="x",
        status="resolved",
        started_at=timezone.now() - timedelta(days=95),
        resolved_at=timezone.now() - timedelta(days=91),
    )

    snapshot = _read()

    assert snapshot.open_notices == []
    assert [notice.title for notice in snapshot.past_notices] == ["Recent"]


def test_one_that_was_withdrawn_is_gone() -> None:
    incidents.withdraw(_published().pk, actor="bob")

    assert _read().open_notices == []


def test_published_again_it_does_not_bring_back_what_was_taken_back() -> None:
    incident = _published()
    incidents.add_note(
        incident.pk, f"By mistake: {SECRET}", actor="bob", is_public=True
    )
    incidents.withdraw(incident.pk, actor="bob")

    incidents.publish(incident.pk, title="Slow", text="We look into it.", actor="bob")

    (notice,) = _read().open_notices
    assert [update.text for update in notice.updates] == ["We look into it."]


def test_nothing_internal_leaks() -> None:
    _found("model", "unhealthy")
    _published()

    document = json.dumps(status_page.as_json(_read()))

    for secret in (SECRET, "alice-the-operator", "error_rate", "critical"):
        assert secret not in document


def test_it_is_read_in_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(5):
        found = making.opened()
        incidents.publish(found.pk, title=f"{number}", text="Hello", actor="bob")

    with django_assert_max_num_queries(5):
        _read()
