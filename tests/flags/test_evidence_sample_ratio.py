"""A wrong share of conversations is found, a right one is left alone."""

import json
import math
import random

import pytest
from scipy import stats

from flags.evidence import sample_ratio
from flags.evidence.sample_ratio import State

ALARM = 1_000.0  # α = 0.1 %


def _found_after(true: float, *, share: float, count: int, dice: random.Random) -> int:
    state = State(share=share)
    for seen in range(20, count + 1, 20):
        treated = sum(dice.random() < true for _ in range(20))
        state = state.add(treatment_count=treated, count=20)
        if state.evidence >= ALARM:
            return seen
    return count + 1


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
@pytest.mark.parametrize(("treated", "count"), [(0, 1), (3, 40), (170, 400)])
def test_it_is_the_ratio_of_scipys_distributions(
    treated: int, count: int, share: float
) -> None:
    a = sample_ratio.CONCENTRATION * share
    b = sample_ratio.CONCENTRATION * (1 - share)
    expected = stats.betabinom.logpmf(treated, count, a, b) - stats.binom.logpmf(
        treated, count, share
    )

    found = sample_ratio.log_evidence(treatment_count=treated, count=count, share=share)

    assert found == pytest.approx(float(expected), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_its_mean_is_one_while_the_share_is_right(share: float) -> None:
    mean = sum(
        math.comb(30, k)
        * share**k
        * (1 - share) ** (30 - k)
        * math.exp(sample_ratio.log_evidence(treatment_count=k, count=30, share=share))
        for k in range(31)
    )

    assert mean == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("true", "share", "within"),
    [
        pytest.param(0.01, 0.1, 200, id="stuck at 1 %"),
        pytest.param(0.287, 0.5, 200, id="a cookie deals anew"),
        pytest.param(0.1, 0.01, 200, id="ahead of its time"),
    ],
)
def test_a_wrong_share_is_found(true: float, share: float, within: int) -> None:
    dice = random.Random(1)

    found = sorted(
        _found_after(true, share=share, count=400, dice=dice) for _ in range(100)
    )

    assert found[50] <= within  # the median


def test_a_right_share_is_left_alone() -> None:
    dice = random.Random(2)

    found = [_found_after(0.1, share=0.1, count=1_000, dice=dice) for _ in range(200)]

    assert sum(seen <= 1_000 for seen in found) <= 1


def test_nothing_seen_is_no_evidence() -> None:
    state = State(share=0.01)

    assert state.evidence == pytest.approx(1)
    assert state.begin(share=0.1).begin(share=0.25).evidence == pytest.approx(1)


def test_what_was_found_under_one_share_stays_found() -> None:
    state = State(share=0.5).add(treatment_count=0, count=60)

    later = state.begin(share=0.1).add(treatment_count=4, count=40)

    assert state.evidence > ALARM
    assert later.evidence > ALARM
    assert later.count == 40


def test_it_is_found_in_a_later_phase_too() -> None:
    state = State(share=0.01)
    for share in (0.1, 0.25, 0.5, 0.75, 0.95):
        state = state.add(treatment_count=round(300 * state.share), count=300)
        state = state.begin(share=share)

    state = state.add(treatment_count=150, count=300)

    assert state.number == 6
    assert state.evidence > ALARM


def test_it_goes_on_from_what_was_kept() -> None:
    state = State(share=0.1).add(treatment_count=7, count=60).begin(share=0.25)

    kept = State.from_json(json.loads(json.dumps(state.as_json())))

    assert kept == state


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_there_is_no_ratio_where_all_get_the_same(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        State(share=share)


def test_it_refuses_more_in_treatment_than_came() -> None:
    with pytest.raises(ValueError, match="0 to 3 conversations"):
        State(share=0.5).add(treatment_count=4, count=3)
