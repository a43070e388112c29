"""The share of treatment: right, wrong, changed, and unknown."""

from decimal import Decimal

import pytest

from flags import plans
from flags.gates import integrity
from flags.gates.counts import Drawn
from flags.gates.knowledge import Knowledge
from flags.observations import ArmCounts
from flags.plans import Action
from flags.readings import Reading, Verdict
from tests.flags.gates.arms import window


def _reading(*windows: Drawn) -> Reading:
    knowledge = Knowledge()
    for each in windows:
        knowledge = integrity.step(knowledge, each)
    (found,) = integrity.readings(knowledge, plans.GUIDE)
    return found


@pytest.mark.parametrize(
    ("assigned", "percent", "verdict"),
    [
        ((0, 0), 10, Verdict.NO_DATA),
        ((1, 0), 10, Verdict.PASS),
        ((10, 90), 10, Verdict.PASS),
        ((16, 84), 10, Verdict.PASS),
        ((2, 198), 10, Verdict.FAIL),
        ((29, 71), 10, Verdict.FAIL),
        ((0, 50), 1, Verdict.PASS),
        ((50, 0), 100, Verdict.NO_DATA),
    ],
)
def test_a_wrong_share_holds(
    assigned: tuple[int, int], percent: int, verdict: Verdict
) -> None:
    found = _reading(window(assigned=assigned, percent=percent))

    assert found.verdict is verdict
    assert found.action is Action.HOLD
    assert not found.is_firing


def test_a_new_percent_counts_anew_and_what_was_found_stays_found() -> None:
    right = [window(assigned=(10, 90)), window(assigned=(50, 50), percent=50)]
    wrong = [window(assigned=(70, 30)), window(assigned=(50, 50), percent=50)]

    assert _reading(*right).verdict is Verdict.PASS
    assert _reading(*right).numbers["n"] == 100
    assert _reading(*wrong).verdict is Verdict.FAIL


def test_the_sentence_has_the_counts() -> None:
    found = _reading(window(assigned=(29, 71)))

    assert found.sentence == (
        "Treatment got 29 of 100 conversations (29 %) where 10 % is set: the shares "
        "are wrong, so nothing can be compared."
    )


def test_the_sentence_tells_what_was_found_at_an_earlier_percent() -> None:
    earlier = window(assigned=(70, 30))

    right = _reading(earlier, window(assigned=(100, 400), percent=20))
    wrong = _reading(earlier, window(assigned=(400, 100), percent=20))

    assert right.sentence == (
        "Treatment got 100 of 500 conversations (20 %) where 20 % is set, but counted "
        "with those of earlier percents the shares are wrong, so nothing can be "
        "compared."
    )
    assert wrong.sentence == (
        "Treatment got 400 of 500 conversations (80 %) where 20 % is set: the shares "
        "are wrong, so nothing can be compared."
    )


def test_what_is_taken_back_by_a_correction_is_not_counted_below_nothing() -> None:
    pair = Drawn(
        phase_index=0,
        percent=Decimal(10),
        treatment=ArmCounts(assigned_count=-1),
        control=ArmCounts(assigned_count=4),
    )

    assert _reading(pair).numbers["n"] == 4
