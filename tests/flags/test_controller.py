"""What becomes of a rollout at a tick."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from flags import controller, plans
from flags.plans import Action
from flags.readings import Kind, Verdict
from flags.situation import Move, State
from tests.flags.situations import NOW, done, firing, passed, reading, situation

_EXPOSED = [State.RAMPING, State.HELD, State.PAUSED, State.COMPLETED]


@pytest.mark.parametrize("state", _EXPOSED)
@pytest.mark.parametrize("kind", [Kind.HARM, Kind.FLOOR])
@pytest.mark.parametrize("obstacle", [{}, {"holds": ["wait"]}, {"is_approved": False}])
def test_harm_rolls_back_in_every_state_in_which_anybody_is_exposed(
    state: State, kind: Kind, obstacle: dict[str, Any]
) -> None:
    harmed = situation(state, readings=[firing(Action.ROLL_BACK, kind)], **obstacle)

    outcome = controller.decide(harmed)

    assert (outcome.move, outcome.state) == (Move.ROLL_BACK, State.ROLLING_BACK)
    assert outcome.percent == 0
    assert "errors says so" in outcome.sentence


def test_harm_rolls_back_although_the_percent_was_changed_past_the_rollout() -> None:
    harmed = situation(
        flag_percent=Decimal(30),
        readings=[firing(Action.ROLL_BACK)],
        percent=Decimal(10),
    )

    assert controller.decide(harmed).move is Move.ROLL_BACK


def test_harm_in_an_armed_rollout_counts_when_somebody_is_exposed_already() -> None:
    harmed = situation(
        State.ARMED, flag_percent=Decimal(5), readings=[firing(Action.ROLL_BACK)]
    )

    assert controller.decide(harmed).move is Move.ROLL_BACK


@pytest.mark.parametrize("state", _EXPOSED)
def test_halving_again_and_again_ends_at_nothing(state: State) -> None:
    now = situation(state, readings=[firing(Action.HALVE)])
    percents = []

    for _ in range(12):
        outcome = controller.decide(now)
        percents.append(outcome.percent)
        now = replace(
            now,
            now=now.now + timedelta(minutes=31),
            state=outcome.state,
            percent=outcome.percent,
            flag_percent=outcome.percent,
            halved_at=now.now if outcome.is_measure else now.halved_at,
        )
        if outcome.state is State.ROLLING_BACK:
            break

    assert now.state is State.ROLLING_BACK
    assert percents == sorted(percents, reverse=True)
    assert percents[-2] >= plans.GUIDE.percent_of(0)


@pytest.mark.parametrize("state", [State.RAMPING, State.PAUSED])
@pytest.mark.parametrize(("given", "half"), [(40, "5.00"), (8, "4.00")])
def test_it_halves_although_the_percent_was_changed_past_the_rollout(
    state: State, given: int, half: str
) -> None:
    slow = situation(
        state, readings=[firing(Action.HALVE)], flag_percent=Decimal(given)
    )

    outcome = controller.decide(slow)

    assert (outcome.move, outcome.percent) == (Move.HALVE, Decimal(half))


def test_it_halves_once_in_half_an_hour_only() -> None:
    halved = situation(
        readings=[firing(Action.HALVE)], halved_at=NOW - timedelta(minutes=29)
    )

    outcome = controller.decide(halved)

    assert (outcome.state, outcome.percent) == (State.HELD, Decimal(10))


def test_half_is_half() -> None:
    outcome = controller.decide(situation(readings=[firing(Action.HALVE)]))

    assert (outcome.move, outcome.state) == (Move.HALVE, State.HELD)
    assert outcome.percent == Decimal("5.00")


def test_the_hardest_action_counts() -> None:
    both = [firing(Action.HALVE), firing(Action.ROLL_BACK, Kind.FLOOR)]

    assert controller.decide(situation(readings=both)).move is Move.ROLL_BACK


def test_it_advances_when_the_phase_has_all_it_needs() -> None:
    outcome = controller.decide(done())

    assert (outcome.move, outcome.phase_index) == (Move.ADVANCE, 2)
    assert outcome.percent == 25


@pytest.mark.parametrize(
    "lacking",
    [
        {"phase_since": NOW - timedelta(hours=47, minutes=59)},
        {"unit_count": 1399},
        {"readings": passed(1)[1:]},
        {"readings": []},
        {
            "readings": [
                *passed(1)[1:],
                reading("few_errors", Kind.SUCCESS, Verdict.NO_DATA),
            ]
        },
        {
            "readings": [
                *passed(1)[1:],
                reading("few_errors", Kind.SUCCESS, Verdict.NOT_YET),
            ]
        },
        {
            "readings": [
                *passed(1)[1:],
                reading("few_errors", Kind.SUCCESS, Verdict.FAIL),
            ]
        },
        {"readings": [*passed(1), reading("split", Kind.INTEGRITY, Verdict.FAIL)]},
        {"readings": [*passed(1), reading("health", Kind.FLOOR, Verdict.NO_DATA)]},
        {"holds": ["the operator said so"]},
        {"is_caught_up": False},
        {"is_look_unread": True},
    ],
)
def test_it_does_not_advance_while_anything_is_lacking(lacking: dict[str, Any]) -> None:
    outcome = controller.decide(done(**lacking))

    assert outcome.move in {Move.NONE, Move.HOLD}
    assert outcome.percent == 10


def test_what_is_not_required_keeps_nobody() -> None:
    advice = reading("satisfied", Kind.SUCCESS, Verdict.NO_DATA, is_required=False)

    outcome = controller.decide(done(readings=[*passed(1)[:-1], advice]))

    assert outcome.move is Move.ADVANCE


def test_a_held_one_goes_on_when_nothing_holds_it_any_more() -> None:
    outcome = controller.decide(situation(State.HELD))

    assert (outcome.move, outcome.state) == (Move.GO_ON, State.RAMPING)
    assert outcome.sentence.startswith("Nothing holds it any more: it goes on. Phase 2")


def test_a_paused_one_waits_for_a_person() -> None:
    assert controller.decide(done(state=State.PAUSED)).move is Move.NONE


def test_the_holdback_stays_until_it_is_complete() -> None:
    last = len(plans.GUIDE.phases) - 1
    long_ago = NOW - timedelta(days=4)

    begun = controller.decide(
        done(
            phase_index=last - 1,
            readings=passed(last - 1),
            unit_count=15_000,
            percent=Decimal(75),
            flag_percent=Decimal(75),
        )
    )
    ended = controller.decide(
        done(
            phase_index=last,
            readings=passed(last),
            unit_count=15_000,
            phase_since=long_ago,
            percent=Decimal(95),
            flag_percent=Decimal(95),
        )
    )

    assert begun.percent == 95
    assert (ended.move, ended.percent) == (Move.COMPLETE, Decimal(100))


def test_a_halved_phase_that_passes_at_half_is_given_back_what_it_had() -> None:
    outcome = controller.decide(done(percent=Decimal(5), flag_percent=Decimal(5)))

    assert (outcome.move, outcome.phase_index) == (Move.ADVANCE, 1)
    assert outcome.percent == 10


def test_it_begins_when_its_time_has_come_and_not_before() -> None:
    armed = situation(State.ARMED, phase_index=0, phase_since=None)

    outcome = controller.decide(armed)

    assert (outcome.move, outcome.percent) == (Move.BEGIN, Decimal(1))
    later = replace(armed, starts_at=NOW + timedelta(minutes=1))
    assert controller.decide(later).move is Move.NONE
    assert controller.decide(replace(armed, holds=["wait"])).move is Move.NONE


def test_a_phase_that_needs_approval_waits_for_it() -> None:
    phases = list(plans.GUIDE.phases)
    phases[2] = replace(phases[2], needs_approval=True)
    guarded = done(plan=replace(plans.GUIDE, phases=tuple(phases)))

    waiting = controller.decide(replace(guarded, is_approved=False))

    assert (waiting.move, waiting.state) == (Move.HOLD, State.HELD)
    assert "second person" in waiting.sentence
    assert controller.decide(guarded).move is Move.ADVANCE


@pytest.mark.parametrize("state", _EXPOSED)
def test_a_flag_that_somebody_switched_off_ends_it(state: State) -> None:
    outcome = controller.decide(situation(state, flag_percent=Decimal(0)))

    assert outcome.state is State.ROLLING_BACK


def test_a_percent_that_somebody_changed_pauses_it() -> None:
    outcome = controller.decide(situation(flag_percent=Decimal(40)))

    assert (outcome.move, outcome.state) == (Move.PAUSE, State.PAUSED)
    assert "40" in outcome.sentence
    assert not outcome.is_measure  # a gate that asks to halve need not wait for it


@pytest.mark.parametrize(
    ("persistent_count", "flag_percent", "age_s", "move", "state"),
    [
        (0, 0, 5, Move.CONFIRM, State.ROLLED_BACK),
        (None, 0, 5, Move.NONE, State.ROLLING_BACK),
        (None, 0, 61, Move.NONE, State.ROLLING_BACK),
        (3, 0, 5, Move.NONE, State.ROLLING_BACK),
        (3, 0, 61, Move.ESCALATE, State.ROLLING_BACK),
        (0, 10, 5, Move.ESCALATE, State.ROLLING_BACK),
    ],
)
def test_a_rollback_is_believed_when_it_is_measured(
    persistent_count: int | None,
    flag_percent: int,
    age_s: int,
    move: Move,
    state: State,
) -> None:
    rolling = situation(
        State.ROLLING_BACK,
        persistent_count=persistent_count,
        flag_percent=Decimal(flag_percent),
        state_since=NOW - timedelta(seconds=age_s),
    )

    outcome = controller.decide(rolling)

    assert (outcome.move, outcome.state) == (move, state)
