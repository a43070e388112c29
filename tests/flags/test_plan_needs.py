"""A plan that would stand still for ever, or break its gates, is refused beforehand."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from flags import plan_needs, plan_store, plans
from flags.plans import GUIDE, Phase, Plan


def test_the_guides_plan_comes_to_its_end() -> None:
    assert plan_store.faults(GUIDE) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ratio_alpha", 0),  # it would divide by it, and no gate be asked any more
        ("success_alpha", 0),
        ("success_alpha", 1),
        ("version", 0),
        ("holdback_percent", "4.999"),
        ("max_extension_s", 0),
    ],
)
def test_limits_that_no_gate_can_follow(name: str, value: Any) -> None:
    (fault,) = plan_store.faults(Plan.of(_body() | {name: value}))

    assert fault.startswith(f"{name} is ")


@pytest.mark.parametrize(
    ("different", "words"),
    [
        # The flag takes two decimals: the step to it would fail at every tick.
        ({"percent": "1.234"}, "two decimals at most"),
        ({"percent": "0.001"}, "two decimals at most"),
        ({"unit_count": -3}, "0 or more"),
    ],
)
def test_phases_that_no_flag_can_give(different: dict[str, Any], words: str) -> None:
    body = _body()
    body["phases"][0] |= different

    (fault,) = plan_store.faults(Plan.of(body))

    assert words in fault


def test_two_success_gates_do_not_share_a_key() -> None:
    phases = list(GUIDE.phases)
    easy = replace(phases[1].success[0], threshold=0.5)
    phases[1] = replace(phases[1], success=(*phases[1].success, easy))

    (fault,) = plan_needs.faults(replace(GUIDE, phases=tuple(phases)))

    assert fault == "Phase 2 has two success gates with the same key."


def test_a_phase_without_control_can_show_nothing() -> None:
    bare = Phase(percent=Decimal(100), dwell_s=3600, unit_count=0)
    everybody = replace(GUIDE, holdback_percent=Decimal(0))

    (fault,) = plan_needs.faults(everybody)

    assert "Phase 6 gives it to everybody" in fault
    assert "holdback_percent must be above 0" in fault
    patient = replace(everybody, phases=(*GUIDE.phases[:-1], bare))
    assert plan_needs.faults(patient) == []


def test_what_is_of_another_kind_is_said_once() -> None:
    odd = Plan.of(_body() | {"holdback_percent": "NaN"})

    assert plan_needs.faults(odd) == []
    assert len(plans.faults(odd)) == 1


def _body() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(GUIDE.to_text())
    return body
