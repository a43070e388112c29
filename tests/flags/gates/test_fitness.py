"""A plan that no gate could follow is told so before it starts."""

from dataclasses import replace

from flags import plans
from flags.gates import fitness
from flags.plans import GUIDE, Harm, Success


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
