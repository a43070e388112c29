"""The guide's two letters: filled in from the incident, sent only without gaps."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from flags import changes
from flags.changes import Actor
from flags.models import Change
from monitoring import incidents
from monitoring.errors import Conflict, InvalidWords, NobodyTold
from monitoring.models import Channel, Delivery, Incident
from monitoring.responding import letters
from monitoring.responding.letters import Kind, Letter
from tests.monitoring.responding import making

pytestmark = pytest.mark.django_db

WHOLE = Letter("[CRITICAL] Oracle Chat AI System Issue", "Answers fail. We are at it.")
ISSUE = """\
A critical issue has been detected with Oracle Chat AI:

Issue: Answers fail
Impact: [USER IMPACT]
Status: INVESTIGATING
ETA: [ESTIMATED RESOLUTION TIME]

Actions taken:
- [ACTION 1]
- [ACTION 2]

Next update in: [TIME]

Incident Commander: [NAME]
"""
ROLLBACK = """\
A rollback has been initiated for Oracle Chat AI:

Reason: [ROLLBACK REASON]
Rollback Type: [FEATURE/PARTIAL/FULL]
Expected Impact: [MINIMAL/MODERATE/SIGNIFICANT]
Duration: [ESTIMATED TIME]

Current Status: [IN PROGRESS/COMPLETED]

Users may experience:
- [IMPACT 1]
- [IMPACT 2]

Updates: [UPDATE SCHEDULE]
"""


def _draft(kind: Kind, incident: Incident) -> Letter:
    return letters.draft(kind, incidents.find(incident.pk), now=timezone.now())


def _listen(**fields: Any) -> None:
    Channel.objects.all().delete()
    Channel.objects.create(**({"kind": "log", "min_severity": "warning"} | fields))


def _send(incident: Incident, letter: Letter = WHOLE, *, seen: int = 0) -> int:
    return letters.send(incident.pk, Kind.ISSUE, letter, actor="bob", seen=seen)


def test_what_is_not_known_of_an_issue_stays_a_gap() -> None:
    letter = _draft(Kind.ISSUE, making.opened())

    assert letter == Letter("[CRITICAL] Oracle Chat AI System Issue", ISSUE)


def test_what_is_known_of_an_issue_is_filled_in() -> None:
    incident = making.opened(impact="Every second answer fails.")
    incidents.set_status(incident.pk, "identified", actor="bob")
    incidents.assign(incident.pk, {"commander": "Alice A."}, actor="bob")
    incidents.add_note(incident.pk, "Restarted\nthe worker.", actor="bob")
    soon = timezone.now() + timedelta(minutes=30, seconds=5)
    incidents.promise_update(incident.pk, soon, actor="bob")

    letter = _draft(Kind.ISSUE, incident)

    assert "Impact: Every second answer fails.\nStatus: MITIGATING" in letter.body
    assert "Actions taken:\n- Restarted the worker.\n\n" in letter.body
    assert f"Next update in: 30 minutes (at {soon:%H:%M} UTC)" in letter.body
    assert "Incident Commander: Alice A." in letter.body
    assert letters.gaps(letter) == ["[ESTIMATED RESOLUTION TIME]"]


def test_after_the_end_it_says_so() -> None:
    incident = making.opened(impact="Some wait.")
    incidents.resolve(incident.pk, actor="bob")

    letter = _draft(Kind.ISSUE, incident)

    assert "Status: RESOLVED\nETA: resolved at " in letter.body
    assert "Next update in: none is planned, it is over" in letter.body


def test_what_is_not_known_of_a_rollback_stays_a_gap() -> None:
    letter = _draft(Kind.ROLLBACK, making.opened())

    assert letter == Letter("[NOTICE] Oracle Chat AI Rollback Initiated", ROLLBACK)


@pytest.mark.parametrize(
    ("percent", "extent"), [(25, "PARTIAL"), (0, "FEATURE"), (None, "FEATURE")]
)
def test_a_rollback_is_told_by_the_last_change_that_took_something_back(
    percent: int | None, extent: str
) -> None:
    incident = making.opened()
    alice = Actor(name="alice", channel=Change.Channel.ADMIN)
    on = {"USE_PERSISTENT_SESSIONS": True, "GRADUAL_ROLLOUT_PERCENTAGE": 50}
    changes.apply(on, actor=alice, reason="Go")
    if percent is None:
        changes.kill(actor=alice, reason="Errors at Google")
    else:
        less = {"GRADUAL_ROLLOUT_PERCENTAGE": percent}
        changes.apply(less, actor=alice, reason="Errors at Google")

    letter = _draft(Kind.ROLLBACK, incident)

    assert f"Reason: Errors at Google\nRollback Type: {extent}" in letter.body
    assert "Expected Impact: MINIMAL" in letter.body
    assert "Current Status: COMPLETED" in letter.body
    assert letters.gaps(letter) == ["[UPDATE SCHEDULE]"]


def test_growth_is_no_rollback() -> None:
    incident = making.opened()
    alice = Actor(name="alice", channel=Change.Channel.ADMIN)
    on = {"USE_PERSISTENT_SESSIONS": True, "GRADUAL_ROLLOUT_PERCENTAGE": 50}
    changes.apply(on, actor=alice, reason="Go")

    assert "Reason: [ROLLBACK REASON]" in _draft(Kind.ROLLBACK, incident).body


def test_a_letter_with_gaps_is_not_sent_and_they_are_named() -> None:
    _listen()
    incident = making.opened()
    draft = _draft(Kind.ISSUE, incident)

    with pytest.raises(InvalidWords) as refused:
        _send(incident, draft)

    for gap in ("[USER IMPACT]", "[ACTION 1]", "[ACTION 2]", "[TIME]", "[NAME]"):
        assert gap in str(refused.value)
    assert not Delivery.objects.exists()


def test_a_whole_letter_goes_to_the_channels_and_into_the_timeline() -> None:
    _listen()
    incident = making.opened()

    assert _send(incident) == 1

    delivery = Delivery.objects.get()
    assert (delivery.channel, delivery.severity) == ("log", "critical")
    assert delivery.subject == WHOLE.subject
    assert WHOLE.body in delivery.text
    assert delivery.payload["incident"] == incident.pk
    assert making.entries(incident)[-1] == (
        "message",
        f"{WHOLE.subject}\n\n{WHOLE.body}",
        "bob",
    )


def test_it_is_not_sent_twice_by_two_clicks() -> None:
    _listen()
    incident = making.opened()
    _send(incident)

    with pytest.raises(Conflict, match="in the meantime"):
        _send(incident)

    assert Delivery.objects.count() == 1
    assert _send(incident, seen=letters.last_sent(incident)) == 1


def test_without_a_channel_nothing_is_recorded_as_sent() -> None:
    _listen(is_enabled=False)
    incident = making.opened()

    with pytest.raises(NobodyTold, match="critical"):
        _send(incident)

    assert len(making.entries(incident)) == 1


@pytest.mark.parametrize(
    ("subject", "body", "words"),
    [
        ("", "Body", "subject is empty"),
        ("Subject", "  ", "message is empty"),
        ("x" * 201, "Body", "at most 200"),
        ("About [NAME]", "Body", "[NAME]"),
    ],
)
def test_a_letter_that_nobody_could_read_is_refused(
    subject: str, body: str, words: str
) -> None:
    with pytest.raises(InvalidWords) as refused:
        letters.checked(Letter(subject, body))

    assert words in str(refused.value)
