"""What windows teach: where phases start, and what a change of the percent means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from flags import plans
from flags.evaluation import Variant
from flags.gates import harms, learning
from flags.gates.counts import Pair
from flags.gates.knowledge import Knowledge
from flags.observations import ArmCounts
from flags.readings import Verdict
from flags.windows import Pair as StoredPair
from tests.flags.gates.arms import window

PLAN = plans.GUIDE
SLOW = window((20, 15), (180, 1), event="slow", percent=10)
BAD = window((20, 12), (180, 1), percent=10)


def _verdicts(knowledge: Knowledge) -> dict[str, Verdict]:
    return {each.key: each.verdict for each in harms.readings(knowledge, PLAN)}


def test_a_window_before_anybody_gets_it_teaches_nothing() -> None:
    before = window((0, 0), (200, 9), percent=0)

    assert learning.step(Knowledge(), PLAN, before) == Knowledge()


def test_a_phase_starts_with_its_first_window() -> None:
    first, second = window(phase_index=0, percent=1), window(phase_index=1)

    knowledge = learning.of([first, first, second, second, second], PLAN)

    assert knowledge.harms["errors"].starts == 2
    assert knowledge.harms["errors"].windows == 5
    assert knowledge.counted["errors"].treatment_count == 60
    assert knowledge.units_in(1) == 60


def test_after_a_halving_what_led_to_it_is_over() -> None:
    half = window((10, 0), (190, 1), event="slow", percent=5)
    slow_half = replace(SLOW, percent=Decimal(5))

    before = learning.of([SLOW] * 4, PLAN)
    after = learning.step(before, PLAN, half)
    slow_again = learning.of([*[SLOW] * 4, half, *[slow_half] * 4], PLAN)

    assert _verdicts(before)["slow_answers"] is Verdict.FAIL
    assert _verdicts(after)["slow_answers"] is Verdict.PASS
    assert after.harms["slow_answers"].windows == 5
    assert after.harms["slow_answers"].peak == before.harms["slow_answers"].peak
    assert _verdicts(slow_again)["slow_answers"] is Verdict.FAIL


def test_a_halving_forgets_nothing_that_would_roll_back() -> None:
    half = window((10, 0), (190, 1), percent=5)

    knowledge = learning.of([BAD, BAD, half], PLAN)

    assert _verdicts(knowledge)["errors"] is Verdict.FAIL


@pytest.mark.parametrize("percent", [10, 25])
def test_no_other_percent_forgets_anything(percent: int) -> None:
    wider = window((50, 0), (150, 1), event="slow", percent=percent)

    knowledge = learning.of([SLOW, SLOW, SLOW, wider], PLAN)

    assert _verdicts(knowledge)["slow_answers"] is Verdict.FAIL


def test_the_windows_of_a_rollout_are_what_gates_take() -> None:
    begin = datetime(2026, 11, 26, tzinfo=UTC)
    stored: Pair = StoredPair(
        begin=begin,
        end=begin + timedelta(seconds=60),
        phase_index=0,
        percent=Decimal("1.00"),
        arms={
            Variant.ON: ArmCounts(assigned_count=2, conversation_count=2),
            Variant.OFF: ArmCounts(assigned_count=90, conversation_count=120),
        },
    )

    knowledge = learning.step(Knowledge(), PLAN, stored)

    assert knowledge.units_in(0) == 2
    assert knowledge.counted["errors"].control_count == 120
