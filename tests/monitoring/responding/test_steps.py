"""Each step is recorded with its actor; a step out of turn is refused in words."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring import incidents
from monitoring.errors import Conflict, InvalidWords, UnknownIncident, WrongStep
from monitoring.models import Alert
from tests.monitoring.responding import making

pytestmark = pytest.mark.django_db


def test_it_is_acknowledged_once() -> None:
    incident = making.opened()

    acknowledged = incidents.acknowledge(incident.pk, actor="bob")

    assert acknowledged.acknowledged_at is not None
    assert making.entries(incident)[-1] == ("status", "Acknowledged.", "bob")
    with pytest.raises(Conflict, match=r"acknowledged at .* add a note instead"):
        incidents.acknowledge(incident.pk, actor="carol")


def test_its_alerts_are_acknowledged_with_it() -> None:
    incident = incidents.open_for(making.alert())
    assert incident is not None
    incidents.open_for(making.alert("database_down"))
    other = making.alert("memory", severity="warning")

    incidents.acknowledge(incident.pk, actor="bob")

    by = dict(Alert.objects.values_list("name", "acknowledged_by"))
    assert by == {"error_rate": "bob", "database_down": "bob", other.name: ""}


def test_it_goes_from_status_to_status() -> None:
    incident = making.opened()

    incidents.set_status(incident.pk, "identified", actor="bob", text="A bad key.")
    moved = incidents.set_status(incident.pk, "monitoring", actor="bob")

    assert moved.status == "monitoring"
    assert making.entries(incident)[1:] == [
        ("status", "Identified. A bad key.", "bob"),
        ("status", "Monitoring.", "bob"),
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("resolved", "expected investigating, identified, monitoring"),
        ("over", "expected investigating, identified, monitoring"),
        ("investigating", "already: expected identified, monitoring"),
    ],
)
def test_a_wrong_status_is_refused_with_what_is_allowed(
    status: str, words: str
) -> None:
    incident = making.opened()

    with pytest.raises(WrongStep, match=words):
        incidents.set_status(incident.pk, status, actor="bob")

    assert len(making.entries(incident)) == 1


def test_somebody_who_saw_an_older_status_is_told() -> None:
    incident = making.opened()
    incidents.set_status(incident.pk, "identified", actor="bob")

    with pytest.raises(Conflict, match="identified in the meantime"):
        incidents.set_status(
            incident.pk, "monitoring", actor="carol", seen="investigating"
        )


def test_a_person_resolves_it() -> None:
    incident = making.opened()

    ended = incidents.resolve(incident.pk, actor="bob", text="The key is new.")

    assert ended.status == "resolved"
    assert ended.resolved_at is not None
    assert making.entries(incident)[-1] == (
        "status",
        "Resolved. The key is new.",
        "bob",
    )


@pytest.mark.parametrize(
    "step",
    [
        lambda pk: incidents.resolve(pk, actor="bob"),
        lambda pk: incidents.acknowledge(pk, actor="bob"),
        lambda pk: incidents.set_status(pk, "monitoring", actor="bob"),
        lambda pk: incidents.promise_update(
            pk, timezone.now() + timedelta(hours=1), actor="bob"
        ),
    ],
)
def test_a_resolved_one_takes_only_notes(step: Callable[[int], Any]) -> None:
    incident = making.opened()
    incidents.resolve(incident.pk, actor="alice")
    before = making.entries(incident)

    with pytest.raises(WrongStep, match="is resolved"):
        step(incident.pk)

    assert making.entries(incident) == before
    incidents.add_note(incident.pk, "What we learnt.", actor="bob")
    assert making.entries(incident)[-1] == ("note", "What we learnt.", "bob")


def test_the_end_of_its_alerts_does_not_end_it() -> None:
    incident = incidents.open_for(making.alert())
    assert incident is not None

    Alert.objects.update(state="resolved", resolved_at=timezone.now())

    assert incidents.find(incident.pk).status == "investigating"


def test_roles_are_given_and_taken() -> None:
    incident = making.opened()

    incidents.assign(incident.pk, {"commander": "alice"}, actor="bob")
    found = incidents.assign(
        incident.pk, {"commander": "", "operations": "dora"}, actor="bob"
    )

    assert (found.commander, found.operations) == ("", "dora")
    assert making.entries(incident)[-1] == (
        "status",
        "Incident commander: alice → none\nOperations: none → dora",
        "bob",
    )


def test_a_role_that_is_none_is_named() -> None:
    with pytest.raises(InvalidWords, match="king: expected commander"):
        incidents.assign(making.opened().pk, {"king": "bob"}, actor="bob")


def test_title_severity_and_impact_can_be_mended() -> None:
    incident = making.opened()

    found = incidents.describe(
        incident.pk, {"severity": "warning", "impact": "Some wait."}, actor="bob"
    )

    assert (found.severity, found.impact) == ("warning", "Some wait.")


def test_what_is_as_it_was_leaves_no_entry() -> None:
    incident = making.opened()

    incidents.describe(incident.pk, {"title": incident.title}, actor="bob")

    assert len(making.entries(incident)) == 1


def test_the_next_update_is_promised_for_a_time_to_come() -> None:
    incident = making.opened()
    later = timezone.now() + timedelta(minutes=30)

    assert (
        incidents.promise_update(incident.pk, later, actor="bob").next_update_at
        == later
    )
    with pytest.raises(InvalidWords, match="is over"):
        incidents.promise_update(incident.pk, timezone.now(), actor="bob")


def test_nothing_is_public_before_it_is_published() -> None:
    incident = making.opened()

    with pytest.raises(InvalidWords, match="publish it first"):
        incidents.add_note(incident.pk, "Hello", actor="bob", is_public=True)
    with pytest.raises(InvalidWords, match="publish it first"):
        incidents.resolve(incident.pk, actor="bob", text="Over", is_public=True)


def test_it_is_published_under_a_title_of_its_own_and_withdrawn() -> None:
    incident = making.opened()

    shown = incidents.publish(
        incident.pk, title="Answers are slow", text="We look into it.", actor="bob"
    )
    hidden = incidents.withdraw(incident.pk, actor="bob")

    assert (shown.is_public, shown.public_title) == (True, "Answers are slow")
    assert hidden.is_public is False
    with pytest.raises(WrongStep, match="not on the status page"):
        incidents.withdraw(incident.pk, actor="bob")


def test_an_incident_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownIncident, match="no incident 7"):
        incidents.acknowledge(7, actor="bob")


def test_an_empty_note_is_refused() -> None:
    with pytest.raises(InvalidWords, match="note is empty"):
        incidents.add_note(making.opened().pk, " \n", actor="bob")
