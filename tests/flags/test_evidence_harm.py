"""Evidence over a ramp: a budget of errors that holds, and harm that is found."""

import itertools
import json
import math
import random

import pytest

from flags.evidence import harm
from flags.evidence.fisher import Counts
from flags.evidence.harm import Budget, Design, State

DESIGN = Design(budget=Budget(planned_windows=2_592, planned_starts=6))
QUIET = Counts(
    treatment_count=20, treatment_failed=0, control_count=200, control_failed=1
)
BAD = Counts(
    treatment_count=20, treatment_failed=5, control_count=200, control_failed=1
)
BOTH = Counts(
    treatment_count=20, treatment_failed=6, control_count=200, control_failed=60
)


def _after(*windows: Counts, design: Design = DESIGN) -> State:
    marked = ((window, number == 0) for number, window in enumerate(windows))
    return harm.replay(marked, design=design)


@pytest.mark.parametrize("shares", [(0.4, 0.2), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_the_weights_are_one_in_all_however_long_it_takes(
    shares: tuple[float, float],
) -> None:
    at_starts, extending = shares
    budget = Budget(
        planned_windows=50, planned_starts=3, at_starts=at_starts, extending=extending
    )

    weights = [
        budget.weight(window=window, start=window // 10 if window % 10 == 0 else None)
        for window in range(20_000)
    ]

    assert 1 - 1e-4 < sum(weights) <= 1 + 1e-12
    assert min(weights) >= 0


def test_the_mean_of_the_evidence_never_passes_the_weight_spent() -> None:
    budget = Budget(planned_windows=3, planned_starts=1, extending=0)
    design = Design(budget=budget)
    mean = 0.0

    # Three windows of 2 against 4 with 2 failures each: every outcome, by its chance.
    chances = {
        k: math.comb(2, k) * math.comb(4, 2 - k) / math.comb(6, 2) for k in range(3)
    }
    for outcome in itertools.product(chances, repeat=3):
        windows = [
            Counts(
                treatment_count=2,
                treatment_failed=k,
                control_count=4,
                control_failed=2 - k,
            )
            for k in outcome
        ]
        state = _after(*windows, design=design)
        values = state.above_none
        mean += math.prod(chances[k] for k in outcome) * sum(values) / len(values)

    assert mean == pytest.approx(1.0, abs=1e-12)  # all weight is spent by then


def test_harm_is_found_and_an_outage_of_both_arms_is_not() -> None:
    found = _after(QUIET, BAD, BAD)
    outage = _after(QUIET, *[BOTH] * 50)

    assert found.evidence > 1_000
    assert outage.peak < 1


def test_an_alarm_stays_in_the_peak() -> None:
    calm = Counts(
        treatment_count=20, treatment_failed=0, control_count=20, control_failed=9
    )

    state = _after(BAD, BAD, *[calm] * 10)

    assert state.evidence < 1
    assert state.peak > 100


def test_harm_that_starts_late_is_found_too() -> None:
    state = _after(*[QUIET] * 1_000, *[BAD] * 4)

    assert state.evidence > 100


def test_a_huge_harm_stays_a_number_that_json_knows() -> None:
    disaster = Counts(
        treatment_count=900, treatment_failed=900, control_count=900, control_failed=0
    )

    state = _after(*[disaster] * 20)

    assert 1e290 < state.evidence < math.inf
    assert json.loads(json.dumps(state.as_json(), allow_nan=False)) == state.as_json()


def test_it_goes_on_from_what_was_kept_to_the_last_bit() -> None:
    dice = random.Random(11)
    windows = [
        Counts(
            treatment_count=20,
            treatment_failed=dice.choice((0, 0, 0, 1)),
            control_count=180,
            control_failed=dice.choice((0, 1, 2)),
        )
        for _ in range(200)
    ]

    straight = _after(*windows)
    kept = harm.begin(DESIGN)
    for number, window in enumerate(windows):
        kept = State.from_json(json.loads(json.dumps(kept.as_json())))
        kept = harm.step(kept, window, design=DESIGN, starts_phase=number == 0)

    assert kept == straight


def test_a_kept_one_may_have_lost_its_decimal_point() -> None:
    state = State.from_json(
        {
            "above_none": [0, 1],
            "above_margin": [0, 2.5],
            "evidence": 1,
            "peak": 3,
            "windows": 4,
            "starts": 1,
        }
    )

    assert [type(value) for value in state.above_none] == [float, float]
    assert type(state.peak) is float


def test_strictness_about_the_margin_costs_evidence() -> None:
    lenient = _after(BAD)
    strict = _after(BAD, design=Design(budget=DESIGN.budget, leniency=1))
    none = _after(BAD, design=Design(budget=DESIGN.budget, margin=1.0, leniency=1))

    assert strict.evidence < lenient.evidence == none.evidence


def test_several_gates_share_one_budget() -> None:
    joined = harm.pooled([250.0, 0.0, 10.0], shares=[0.4, 0.3, 0.3])

    assert joined == pytest.approx(103)
    with pytest.raises(ValueError, match="Shares of α must be 1 in all"):
        harm.pooled([1.0, 1.0], shares=[0.6, 0.6])
    with pytest.raises(ValueError, match="longer"):
        harm.pooled([1.0, 1.0], shares=[0.6])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"planned_windows": 0}, "at least one window"),
        ({"planned_starts": 0}, "at least one window and one start"),
        ({"at_starts": 0.9}, "1 in all"),
        ({"extending": -0.1}, "0 or more"),
    ],
)
def test_it_refuses_a_budget_that_is_none(
    changes: dict[str, float], words: str
) -> None:
    plan = {"planned_windows": 9, "planned_starts": 1} | changes

    with pytest.raises(ValueError, match=words):
        Budget(**plan)  # type: ignore[arg-type]


def test_it_refuses_harms_within_the_margin() -> None:
    with pytest.raises(ValueError, match="above the margin"):
        Design(budget=DESIGN.budget, margin=1.5)
    with pytest.raises(ValueError, match="Leniency must be 1 or more"):
        Design(budget=DESIGN.budget, leniency=0.5)
