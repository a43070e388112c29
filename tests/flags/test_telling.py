"""Who is told when a rollout moves, and when it does not although nobody holds it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flags import gathering, orders, telling
from flags.gates.knowledge import Sighting
from monitoring import notify, runbook
from monitoring.models import Alert
from tests.chat.observed import NOON
from tests.flags import ordering, ramping
from tests.flags.ramping import People

pytestmark = pytest.mark.django_db

_THREE = NOON + timedelta(minutes=3)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the subjects of what is broadcast."""
    subjects: list[str] = []

    def broadcast(subject: str, *_: Any, **__: Any) -> int:
        subjects.append(subject.rpartition(": ")[2])
        return 1

    monkeypatch.setattr(notify, "broadcast", broadcast)
    return subjects


def _blinded(monkeypatch: pytest.MonkeyPatch) -> People:
    """Let a rollout begin, and then see nothing of the deployment any more."""
    ramping.started()
    people = People()
    ramping.pass_time(people, minutes=3)
    monkeypatch.setattr(gathering, "sight", lambda now: Sighting(at=now))
    return people


def test_it_is_told_when_gates_hold_it_and_when_it_goes_on(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as blind:
        people = _blinded(blind)
        ramping.pass_time(people, minutes=1, since=_THREE)
        assert told == ["begin", "hold"]

    ramping.pass_time(people, minutes=0.5, since=NOON + timedelta(minutes=4))

    assert told[2:] == ["go on"]
    assert not Alert.objects.exists()


def test_one_that_is_held_for_long_alarms_until_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as blind:
        people = _blinded(blind)
        ramping.pass_time(people, minutes=30, since=_THREE)
        assert not Alert.objects.exists()
        ramping.pass_time(people, minutes=2, since=NOON + timedelta(minutes=33))

    [alert] = Alert.objects.all()
    assert (alert.name, alert.severity) == (telling.STANDING, "warning")
    assert "stands still: The service's health is not known." in alert.summary
    assert runbook.sections(alert.runbook)[0].title == f"Alert: {telling.STANDING}"
    assert alert.resolved_at is None
    ramping.pass_time(people, minutes=0.5, since=NOON + timedelta(minutes=35))
    alert.refresh_from_db()
    assert alert.resolved_at is not None


def test_what_a_person_holds_stands_still_without_an_alarm() -> None:
    rollout = ramping.started()
    people = People()
    ramping.pass_time(people, minutes=3)
    orders.hold(rollout, ordering.WHY, now=_THREE)

    ramping.pass_time(people, minutes=35, since=_THREE)

    rollout.refresh_from_db()
    assert rollout.state == "held"
    assert not Alert.objects.exists()


def test_a_phase_that_is_over_its_extension_asks_for_a_person() -> None:
    minute = timedelta(minutes=1)
    ramping.started(replace(ramping.SHORT, max_extension_s=120))
    nobody = People(a_minute=0)

    ramping.pass_time(nobody, minutes=7)
    assert not Alert.objects.exists()
    ramping.pass_time(nobody, minutes=1, since=NOON + 7 * minute)

    [alert] = Alert.objects.all()
    assert alert.name == telling.STANDING
    assert "needs 3 treatment conversations and has 0" in alert.summary
