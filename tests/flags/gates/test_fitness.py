"""A plan that no gate could follow is told so before it starts."""

import json
from dataclasses import replace
from typing import Any

import pytest

from flags import plans
from flags.gates import fitness
from flags.plans import GUIDE, Action, Harm, Plan, Success


def test_the_guides_plan_can_be_followed() -> None:
    assert plans.faults(GUIDE) == fitness.faults(GUIDE) == []


def test_it_names_what_nobody_counts_or_measures() -> None:
    strange = Success(key="mood", metric="smiles", threshold=3, is_above=True)
    plan = replace(
        GUIDE,
        harms=(*GUIDE.harms, Harm(key="odd", event="odd", alpha=0.01)),
        phases=(replace(GUIDE.phases[0], success=(strange,)),),
        floors={"error_ratio": 0.1},
    )

    event, metric, threshold, floors = fitness.faults(plan)

    assert "odd watches 'odd', which nobody counts: one of error, slow, blank" in event
    assert "Phase 1 asks for mood by 'smiles', which nobody measures" in metric
    assert "threshold 3: above 0 and below 1 is possible" in threshold
    assert "control_error_ratio, failed_conversations, floor_window_s" in floors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slow_ms", float("inf")),
        ("costly_tokens", "many"),
        ("name", "guide\x1b[2J"),
        ("name", {}),
        ("window_s", 7.5),
        ("holdback_percent", "NaN"),
        ("floors", {**GUIDE.floors, "error_ratio": "0.1"}),
        ("phases", [{"percent": 10, "dwell_s": "long", "unit_count": 3}]),
        ("phases", [{"percent": 10, "dwell_s": {}, "unit_count": 3}]),
        ("phases", [{"percent": 1e30, "dwell_s": 60, "unit_count": 3}]),
        ("phases", [{"percent": 1, "dwell_s": 60, "unit_count": 3, "looks": [None]}]),
        ("harms", [{"key": "e", "event": "error", "alpha": True}]),
        ("harms", [{"key": "e", "event": {}, "alpha": 0.01}]),
        ("harms", [{"key": "e", "event": "error", "alpha": 0.01}] * 51),
    ],
)
def test_a_file_may_say_anything_and_hears_what_is_wrong(name: str, value: Any) -> None:
    plan = Plan.of({**_body(), name: value})

    (fault, *_) = plans.faults(plan)

    assert name.rstrip("s") in fault
    assert "\x1b" not in fault
    assert fitness.faults(plan) == []


@pytest.mark.parametrize(
    ("different", "words"),
    [
        ({"looks": (-0.5, 1.0)}, "looks"),
        ({"looks": (float("nan"), 1.0)}, "looks"),
    ],
)
def test_looks_are_shares_of_the_time(different: dict[str, Any], words: str) -> None:
    phase = replace(GUIDE.phases[0], **different)

    (fault, *_) = plans.faults(replace(GUIDE, phases=(phase,)))

    assert words in fault


def test_somebody_must_take_errors_back_and_no_floor_is_out_of_reach() -> None:
    errors, *others = GUIDE.harms
    mild = replace(GUIDE, harms=(replace(errors, action=Action.HOLD), *others))
    deaf = replace(GUIDE, floors={**GUIDE.floors, "error_ratio": 2})

    assert "rolls back" in plans.faults(mild)[0]
    assert "error_ratio is 2: 0.01 to 0.5 is possible" in fitness.faults(deaf)[0]


def _body() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(GUIDE.to_text())
    return body
