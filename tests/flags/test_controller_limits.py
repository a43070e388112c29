"""Too little memory limits the sessions, where the settings let it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from flags import controller
from flags.plans import Action
from flags.readings import Kind
from flags.situation import Move, State
from tests.flags.situations import firing, situation


def test_little_memory_limits_the_sessions_once() -> None:
    little = situation(readings=[firing(Action.LIMIT_SESSIONS, Kind.FLOOR)])

    first = controller.decide(little)
    second = controller.decide(replace(little, are_sessions_limited=True))

    assert (first.move, first.state) == (Move.LIMIT_SESSIONS, State.HELD)
    assert second.move is Move.HOLD


@pytest.mark.parametrize("state", [State.PAUSED, State.COMPLETED])
def test_fewer_sessions_do_not_end_a_pause_or_what_is_complete(state: State) -> None:
    little = situation(state, readings=[firing(Action.LIMIT_SESSIONS, Kind.FLOOR)])

    outcome = controller.decide(little)

    assert (outcome.move, outcome.state) == (Move.LIMIT_SESSIONS, state)


def test_limits_that_the_settings_refuse_hold_and_say_so() -> None:
    little = situation(
        readings=[firing(Action.LIMIT_SESSIONS, Kind.FLOOR)],
        limits_refusal="The timeout is too short.",
    )

    first = controller.decide(little)
    second = controller.decide(replace(little, state=State.HELD))

    assert (first.move, first.state) == (Move.HOLD, State.HELD)
    assert "could not be limited: The timeout is too short." in first.sentence
    assert second.move is Move.NONE


@pytest.mark.parametrize("state", [State.PAUSED, State.COMPLETED])
def test_little_memory_counts_although_the_percent_is_another_one(state: State) -> None:
    little = situation(
        state,
        flag_percent=Decimal(25),
        readings=[firing(Action.LIMIT_SESSIONS, Kind.FLOOR)],
    )

    assert controller.decide(little).move is Move.LIMIT_SESSIONS
