"""A rollout from its start to its end, by its ticks."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from flags import changes, decisions, gathering, rollouts
from flags.conf import PERCENT, USE
from flags.errors import DrillMissing, InvalidValue, ReasonMissing, RolloutRefused
from flags.gates.knowledge import Sighting
from flags.judging import Arms
from flags.models import Decision, Drill, Rollout, RolloutPlan
from flags.observations import ArmSummary
from flags.rollouts import Order
from flags.situation import State
from monitoring.models import Alert, Incident
from tests.chat import stored
from tests.chat.observed import NOON
from tests.flags import ordering, ramping
from tests.flags.ramping import ALICE, People

pytestmark = pytest.mark.django_db


def _unread(rollout: Rollout, begin: datetime, end: datetime) -> Arms:
    del rollout, begin, end
    return ArmSummary(), ArmSummary()


def test_a_healthy_one_goes_through_its_phases_and_ends_with_everybody() -> None:
    rollout = ramping.started()

    made = ramping.pass_time(People(), minutes=17)

    assert ramping.moves(made) == [
        ("begin", Decimal(20)),
        ("advance", Decimal(50)),
        ("advance", Decimal(95)),
        ("complete", Decimal(100)),
    ], [each.sentence for each in made]
    assert gathering.flag_percent() == 100
    rollout.refresh_from_db()
    assert rollout.state == Rollout.State.COMPLETED
    assert len(made) == 34
    assert list(decisions.verify(rollout)) == []


def test_one_that_harms_is_rolled_back_and_people_are_told() -> None:
    rollout = ramping.started()

    made = ramping.pass_time(People(failing=0.8), minutes=8)

    actions = [action for action, _ in ramping.moves(made)]
    assert actions[-2:] == ["roll_back", "confirm"], [each.sentence for each in made]
    assert "advance" not in actions
    assert gathering.flag_percent() == 0
    rollout.refresh_from_db()
    assert rollout.state == Rollout.State.ROLLED_BACK
    [alert] = Alert.objects.filter(name="rollout")
    assert alert.severity == "critical"
    assert Incident.objects.count() == 1


def test_without_traffic_it_stays_where_it_is() -> None:
    ramping.started()

    made = ramping.pass_time(People(a_minute=0), minutes=12)

    assert [action for action, _ in ramping.moves(made)] == ["begin"]
    assert "needs 3 treatment conversations" in made[-1].sentence


def test_what_can_not_be_seen_holds_and_neither_widens_nor_rolls_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ramping.started()
    people = People()
    ramping.pass_time(people, minutes=3)
    unseen = {"sight": lambda now: Sighting(at=now), "_arms": _unread}
    for name, blind in unseen.items():
        monkeypatch.setattr(gathering, name, blind)

    made = ramping.pass_time(people, minutes=6, since=NOON + timedelta(minutes=3))

    assert ramping.moves(made) == [("hold", Decimal(20))]
    assert gathering.flag_percent() == 20
    assert "not known" in made[-1].sentence


def test_a_complete_one_is_watched_for_another_week() -> None:
    rollout = ordering.placed(State.COMPLETED)
    rollout.refresh_from_db()

    assert rollouts.tick(NOON + timedelta(days=6)) is not None
    assert rollouts.tick(NOON + timedelta(days=7)) is None
    assert rollouts.watched() == rollout


def test_of_two_ticks_at_once_one_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    ramping.started()
    gather = gathering.gather

    def overtaken(rollout: Rollout, now: object) -> object:
        monkeypatch.setattr(gathering, "gather", gather)
        assert rollouts.tick(NOON) is not None
        return gather(rollout, NOON)

    monkeypatch.setattr(gathering, "gather", overtaken)
    second = rollouts.tick(NOON)

    assert second is None
    assert Decision.objects.count() == 1
    assert rollouts.tick(NOON + timedelta(milliseconds=400)) is None
    assert rollouts.tick(NOON - timedelta(hours=1)) is not None


def test_after_an_hour_without_ticks_it_has_skipped_no_phase() -> None:
    ramping.started()
    people = People()
    before = ramping.pass_time(people, minutes=4)

    later = NOON + timedelta(hours=1, minutes=4)
    people.talk(later)
    after = ramping.pass_time(people, minutes=1, since=later)

    assert ramping.moves(before) == [("begin", Decimal(20))]
    assert ramping.moves(after) == [("advance", Decimal(50))]


def test_a_kill_by_a_person_ends_it() -> None:
    rollout = ramping.started()
    people = People()
    ramping.pass_time(people, minutes=2)

    changes.kill(actor=ALICE, reason="I do not like it.")
    made = ramping.pass_time(people, minutes=2, since=NOON + timedelta(minutes=2))

    assert [action for action, _ in ramping.moves(made)] == ["roll_back", "confirm"]
    rollout.refresh_from_db()
    assert rollout.state == Rollout.State.ROLLED_BACK


def test_who_starts_says_why_and_has_drilled() -> None:
    plan = ramping.planned()

    with pytest.raises(ReasonMissing):
        rollouts.start(plan, Order(actor=ALICE, reason=" "), now=NOON)
    with pytest.raises(DrillMissing):
        rollouts.start(plan, Order(actor=ALICE, reason="Now."), now=NOON)
    assert not Rollout.objects.exists()


def test_only_a_drill_of_errors_shows_that_harm_is_taken_back() -> None:
    plan, order = ramping.planned(), Order(actor=ALICE, reason="Now.")
    for fault in ("nodata", "latency=3x"):
        Drill.objects.create(fault=fault, ended_at=NOON, is_green=True)

    with pytest.raises(DrillMissing):
        rollouts.start(plan, order, now=NOON)
    Drill.objects.create(fault="errors=0.5", ended_at=NOON, is_green=True)

    assert rollouts.start(plan, order, now=NOON).state == State.ARMED


def test_a_drill_counts_for_seven_days_and_if_it_went_well() -> None:
    plan, order = ramping.planned(), Order(actor=ALICE, reason="Now.")
    week = timedelta(days=7)
    for is_green, ended_at in (
        *((True, NOON - week - timedelta(seconds=1)), (True, None)),
        (False, NOON - timedelta(minutes=1)),
    ):
        Drill.objects.create(fault="errors=0.5", ended_at=ended_at, is_green=is_green)

    with pytest.raises(DrillMissing, match="last 7 days"):
        rollouts.start(plan, order, now=NOON)
    Drill.objects.create(fault="errors=0.5", ended_at=NOON - week, is_green=True)

    assert rollouts.start(plan, order, now=NOON).state == State.ARMED


def test_it_neither_starts_in_the_past_nor_keeps_what_steers_a_terminal() -> None:
    with pytest.raises(InvalidValue, match="is over"):
        ramping.started(starts_at=NOON - timedelta(days=1))
    order = Order(actor=ALICE, reason="It is\x00 \x1b[2J time.")

    rollout = rollouts.start(
        RolloutPlan.objects.get(name="short"), order, now=NOON, without_drill=True
    )

    assert rollout.reason == "It is\ufffd \ufffd[2J time."


def test_there_is_one_at_a_time_and_it_finds_nobody_exposed() -> None:
    ramping.started()
    with pytest.raises(RolloutRefused, match="under way"):
        ramping.started(replace(ramping.SHORT, version=2))

    Rollout.objects.update(state="rolled_back", ended_at=NOON)
    stored.put(**{USE.name: True, PERCENT.name: 5})
    with pytest.raises(RolloutRefused, match="already gives 5 %"):
        ramping.started(replace(ramping.SHORT, version=3))


def test_what_an_earlier_one_did_is_not_held_against_the_next() -> None:
    ramping.started()
    people = People(a_minute=30, failing=0.8)
    made = ramping.pass_time(people, minutes=4)
    assert ramping.moves(made)[-1] == ("confirm", Decimal(0))
    again = ramping.planned(replace(ramping.SHORT, version=2))
    later, people.failing = NOON + timedelta(minutes=4), 0.0

    order = Order(actor=ALICE, reason="It is repaired.")
    rollouts.start(again, order, now=later, without_drill=True)
    made = ramping.pass_time(people, minutes=6, since=later)

    assert ramping.moves(made) == [("begin", Decimal(20)), ("advance", Decimal(50))]
