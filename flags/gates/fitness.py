"""Whether the gates can judge by a plan: the names, thresholds and floors in it.

`plans.faults` looks at each part's kind, range and order, `plan_needs.faults` at what a
phase waits for; `plan_store.faults` has all three.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields

from flags import plan_kinds
from flags.gates import success
from flags.observations import ArmCounts
from flags.plans import Plan

EVENTS = tuple(
    each.name.removesuffix("_past_count")
    for each in fields(ArmCounts)
    if each.name.endswith("_past_count")
)
# Beyond these a floor would never speak, or always, or read far too many turns.
_LIMITS: Mapping[str, tuple[float, float]] = {
    "error_ratio": (0.01, 0.5),
    "failed_conversations": (1, 100),
    "control_error_ratio": (0.001, 0.5),
    "floor_window_s": (30, 3600),
    "memory_percent": (50, 100),
    "memory_clear_percent": (1, 99),
}
FLOORS = frozenset(_LIMITS)


def faults(plan: Plan) -> list[str]:
    """Return what no gate could judge, a sentence each; none: all of it.

    Nothing where a part is of another kind than it should be: `plans.faults` says that.
    """
    if any(plan_kinds.faults(plan)):
        return []
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
    return [*found, *_faults_of_floors(plan.floors)]


def _faults_of_floors(limits: Mapping[str, float]) -> Iterator[str]:
    for name, (least, most) in _LIMITS.items():
        if name in limits and not least <= limits[name] <= most:
            yield (
                f"The floor {name} is {limits[name]}: {least:g} to {most:g} is "
                f"possible."
            )
    clear, full = limits.get("memory_clear_percent"), limits.get("memory_percent")
    if clear is not None and full is not None and clear >= full:
        yield f"The floor memory_clear_percent is {clear}: below {full} is possible."
