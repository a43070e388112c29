"""The budget of false alarms: what a ramp may spend, has spent, and has left."""

import math
from dataclasses import dataclass

from flags.evidence import harm
from flags.evidence.harm import Budget
from flags.gates import harms
from flags.gates.knowledge import Knowledge
from flags.plans import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """How probable a gate's false alarm may be: over the ramp, and up to now. 0–1."""

    alpha: float
    spent: float

    @property
    def left(self) -> float:
        """What is left for the rest of the ramp, and for extending it."""
        return max(0.0, self.alpha - self.spent)


def by_gate(knowledge: Knowledge, plan: Plan) -> dict[str, Spending]:
    """Return what each harm gate may spend on false alarms and has spent, by key.

    A false alarm up to now has at most the probability α × the weight spent until now.
    """
    found = {}
    for gate in plan.harms:
        state = knowledge.harms.get(gate.key)
        weight = _weight(state, harms.design(plan, gate).budget) if state else 0.0
        found[gate.key] = Spending(alpha=gate.alpha, spent=gate.alpha * weight)
    return found


def _weight(state: harm.State, budget: Budget) -> float:
    starts = min(state.starts, budget.planned_starts) / budget.planned_starts
    planned = min(state.windows, budget.planned_windows) / budget.planned_windows
    late = state.windows - budget.planned_windows
    first = sum(1 / k**2 for k in range(1, min(late, 1000) + 1))
    # Σ 1/k² up to n is π²/6 − 1/n, nearly.
    extended = first if late <= 1000 else math.pi**2 / 6 - 1 / (late + 0.5)
    return (
        budget.at_starts * starts
        + budget.evenly * planned
        + budget.extending * extended * 6 / math.pi**2
    )
