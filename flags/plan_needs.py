"""Whether what a plan's phases wait for can ever be there: conversations, success.

`gates.fitness.faults` looks at what the gates must know for it, `plans.faults` at all
else; `plan_store.faults` has all three.
"""

from collections.abc import Iterator

from flags import plan_kinds
from flags.plans import Plan


def faults(plan: Plan) -> list[str]:
    """Return what would keep a ramp for ever, or prove nothing, a sentence each.

    Nothing where a part is of another kind than it should be: `plans.faults` says that.
    """
    if any(plan_kinds.faults(plan)):
        return []
    return [
        fault for index in range(len(plan.phases)) for fault in _of_phase(plan, index)
    ]


def _of_phase(plan: Plan, index: int) -> Iterator[str]:
    phase, name = plan.phases[index], f"Phase {index + 1}"
    if phase.unit_count < 0:
        yield f"{name} needs {phase.unit_count} conversations: 0 or more is possible."
    if len({each.key for each in phase.success}) < len(phase.success):
        yield f"{name} has two success gates with the same key."
    is_asking = phase.unit_count > 0 or any(each.is_required for each in phase.success)
    if plan.percent_of(index) >= 100 and is_asking:
        yield (
            f"{name} gives it to everybody, so nobody is left to compare with and it "
            f"never ends: holdback_percent must be above 0, or the phase ask for no "
            f"conversations and no success."
        )
