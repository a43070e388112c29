"""Harm gates: what was counted, what it proves, and what is said of it."""

from dataclasses import replace

import pytest

from flags import plans
from flags.gates import harms, spending
from flags.gates.counts import Drawn, at_risk
from flags.gates.knowledge import Knowledge
from flags.observations import ArmCounts
from flags.plans import Action
from flags.readings import Reading, Verdict
from tests.flags.gates.arms import window

PLAN = plans.GUIDE


def _after(*windows: Drawn) -> Knowledge:
    knowledge = Knowledge()
    for number, each in enumerate(windows):
        knowledge = harms.step(knowledge, PLAN, each, starts_phase=number == 0)
    return knowledge


def _reading(knowledge: Knowledge, key: str = "errors") -> Reading:
    (found,) = [r for r in harms.readings(knowledge, PLAN) if r.key == key]
    return found


BAD, CALM = window((20, 8), (180, 1)), window((20, 0), (180, 20))


@pytest.mark.parametrize(
    ("windows", "verdict"),
    [
        ([], Verdict.NO_DATA),
        ([window((0, 0), (180, 9))], Verdict.NO_DATA),
        ([window((20, 0), (0, 0))], Verdict.NO_DATA),
        ([window()], Verdict.PASS),
        ([window((20, 3), (180, 27))] * 5, Verdict.PASS),
        ([BAD] * 2, Verdict.FAIL),
        ([BAD] * 2 + [CALM] * 20, Verdict.FAIL),
    ],
)
def test_errors_fail_once_harm_was_proved(
    windows: list[Drawn], verdict: Verdict
) -> None:
    assert _reading(_after(*windows)).verdict is verdict


@pytest.mark.parametrize("gate", PLAN.harms, ids=lambda gate: str(gate.key))
def test_each_gate_looks_at_its_own_event(gate: plans.Harm) -> None:
    knowledge = _after(*[window((20, 12), (180, 1), event=gate.event)] * 3)

    found = harms.readings(knowledge, PLAN)

    assert [r.key for r in found if r.verdict is Verdict.FAIL] == [gate.key]
    assert _reading(knowledge, gate.key).action is gate.action


def test_what_halves_is_over_when_the_evidence_is_gone() -> None:
    slow = window((20, 15), (180, 1), event="slow")
    calm = window((20, 0), (180, 30), event="slow")

    begun, over = _after(*[slow] * 3), _after(*[slow] * 3, *[calm] * 40)

    assert _reading(begun, "slow_answers").action is Action.HALVE
    assert _reading(begun, "slow_answers").verdict is Verdict.FAIL
    assert _reading(over, "slow_answers").verdict is Verdict.PASS


def test_the_sentence_has_the_counts_and_what_they_prove() -> None:
    good, bad = _reading(_after(window())), _reading(_after(BAD, BAD))

    assert good.sentence == (
        "No harm seen: 0 of 20 treatment conversations failed, 1 of 180 in control, "
        "counted every 60 s; evidence 0.048, and 111 would prove it."
    )
    assert bad.sentence.startswith(
        "16 of 40 treatment conversations failed, 2 of 360 in control, counted every "
        "60 s: evidence "
    )
    assert bad.sentence.endswith(", and 111 proves harm.")


def test_the_numbers_are_those_of_the_phase() -> None:
    knowledge = _after(BAD, BAD)
    at_start = harms.step(knowledge, PLAN, window((4, 1), (6, 3)), starts_phase=True)

    numbers = _reading(at_start).numbers

    assert {name: numbers[name] for name in ("n_t", "n_c", "failed_t", "failed_c")} == {
        "n_t": 4,
        "n_c": 6,
        "failed_t": 1,
        "failed_c": 3,
    }
    assert (numbers["rate_t"], numbers["rate_c"]) == (0.25, 0.5)
    assert numbers["ratio"] == 0.5
    assert numbers["threshold"] == pytest.approx(1 / 0.009)
    assert numbers["log10_evidence"] == pytest.approx(8.62, abs=0.01)
    assert numbers["log10_threshold"] == pytest.approx(2.05, abs=0.01)


def test_without_data_no_number_is_made_up() -> None:
    numbers = _reading(Knowledge()).numbers

    assert numbers["rate_t"] is numbers["ratio"] is numbers["log10_evidence"] is None


def test_who_had_it_before_leaves_both_numbers() -> None:
    pair = replace(
        window((20, 1), (50, 2)),
        control=ArmCounts(
            conversation_count=50, error_count=2, error_past_count=10, slow_count=5
        ),
    )

    errors, slow = at_risk("error", pair), at_risk("slow", pair)

    assert (errors.control_count, errors.control_failed) == (40, 2)
    assert (slow.control_count, slow.control_failed) == (50, 5)


def test_only_who_rated_can_dislike() -> None:
    arm = ArmCounts(
        conversation_count=50, rated_count=8, disliked_count=2, disliked_past_count=1
    )

    counts = at_risk("disliked", replace(window(), treatment=arm))

    assert (counts.treatment_count, counts.treatment_failed) == (7, 2)


def test_a_correction_in_disorder_stops_nobody() -> None:
    arm = ArmCounts(conversation_count=1, error_count=2, error_past_count=1)
    undone = ArmCounts(error_count=-1)

    counts = at_risk("error", replace(window(), treatment=arm, control=undone))

    assert (counts.treatment_count, counts.treatment_failed) == (2, 2)
    assert (counts.control_count, counts.control_failed) == (0, 0)


def test_nobody_rated_is_no_data() -> None:
    found = _reading(_after(window()), "thumbs_down")

    assert found.verdict is Verdict.NO_DATA
    assert found.sentence == "No conversation of treatment was rated in this phase yet."


def test_the_budget_is_spent_with_the_windows() -> None:
    hour = [window((0, 0), (0, 0))] * 60
    knowledge = _after(*hour)

    at_first = spending.by_gate(Knowledge(), PLAN)["errors"]
    later = spending.by_gate(knowledge, PLAN)["errors"]

    design = harms.design(PLAN, PLAN.harms[0])
    weights = [design.budget.weight(window=n, start=None) for n in range(60)]
    weight = sum(weights) + design.budget.at_starts / 6
    assert (at_first.spent, at_first.left) == (0, 0.009)
    assert later.spent == pytest.approx(0.009 * weight)
    assert later.left == pytest.approx(0.009 * (1 - weight))


@pytest.mark.parametrize("late", [0, 1, 999, 1000, 1001, 400_000])
def test_the_budget_is_never_overdrawn_however_long_it_takes(late: int) -> None:
    state = _after(window()).harms["errors"]
    budget = harms.design(PLAN, PLAN.harms[0]).budget
    long = replace(state, windows=budget.planned_windows + late, starts=9)
    knowledge = Knowledge(harms={"errors": long})

    found = spending.by_gate(knowledge, PLAN)["errors"]

    exact = 0.8 + 0.2 * sum(
        6 / (3.141592653589793 * k) ** 2 for k in range(1, late + 1)
    )
    assert found.spent / 0.009 == pytest.approx(exact, abs=1e-6)
    assert found.left >= 0


def test_a_wide_margin_leaves_out_what_lies_within() -> None:
    design = harms.design(PLAN, replace(PLAN.harms[0], margin=2.5))

    assert min(design.odds_ratios) == 3
    assert harms.design(PLAN, replace(PLAN.harms[0], margin=30)).odds_ratios == (
        60,
        240,
    )
