"""Whether the gates can follow a plan: `plans.faults` says the rest."""

from dataclasses import fields

from flags.gates import success
from flags.observations import ArmCounts
from flags.plans import Plan

EVENTS = tuple(
    each.name.removesuffix("_past_count")
    for each in fields(ArmCounts)
    if each.name.endswith("_past_count")
)
FLOORS = frozenset(
    {
        *("error_ratio", "failed_conversations", "control_error_ratio"),
        *("floor_window_s", "memory_percent", "memory_clear_percent"),
    }
)


def faults(plan: Plan) -> list[str]:
    """Return what no gate could judge, a sentence each; none: all of it."""
    known, measured = ", ".join(EVENTS), tuple(success.metrics())
    found = [
        f"The harm gate {harm.key} watches {harm.event!r}, which nobody counts: one of "
        f"{known} is possible."
        for harm in plan.harms
        if harm.event not in EVENTS
    ]
    for number, phase in enumerate(plan.phases, start=1):
        for gate in phase.success:
            where = f"Phase {number} asks for {gate.key}"
            if gate.metric not in measured:
                found.append(
                    f"{where} by {gate.metric!r}, which nobody measures: one of "
                    f"{', '.join(measured)} is possible."
                )
            if not 0 < gate.threshold < 1:
                found.append(
                    f"{where} with the threshold {gate.threshold}: above 0 and below "
                    f"1 is possible, as a share."
                )
    missing = sorted(FLOORS - set(plan.floors))
    if missing:
        found.append(f"These floors have no limit: {', '.join(missing)}.")
    return found
