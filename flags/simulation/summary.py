"""What many simulated ramps say of a plan; what they can't say is None."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Any

from flags.gates import foresight
from flags.plans import DAY_S, Plan
from flags.simulation.ramps import Ramp
from flags.simulation.world import World
from flags.situation import Move, State

_Z = 1.959963984540054  # 95 % of a normal lie within it
_HALVES = (Move.HALVE, Move.PAUSE)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A probability with its 95 % interval, from so many ramps of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0–1."""
        return self.count / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Where the probability lies, 95 times of 100 (Wilson 1927)."""
        n, share = self.of, self.value
        centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        width = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + (_Z / 2 / n) ** 2)
        # Of none it begins with 0 exactly, of all it ends with 1.
        low = 0.0 if self.count == 0 else max(0.0, centre - width)
        high = 1.0 if self.count == n else min(1.0, centre + width)
        return low, high


def summary(ramps: Sequence[Ramp], *, plan: Plan, world: World) -> dict[str, Any]:
    """Return what the ramps of one plan in one world come to, for programs.

    Probabilities are 0–1, each with `…_interval`. Where the feature does harm nothing
    is false, and where it does none there is nothing to find: None. A ramp that is
    over before a fault begins says nothing of how it is found.
    """
    is_healthy = not world.faults
    false_rollback = _share(ramps, Move.ROLL_BACK) if is_healthy else None
    false_halving = _share(ramps, *_HALVES) if is_healthy else None
    met = [ramp for ramp in ramps if ramp.fault_s is not None]
    found = [ramp for ramp in met if ramp.found_s is not None]
    completed = _estimate(sum(r.ended is State.COMPLETED for r in ramps), len(ramps))
    return {
        "plan": f"{plan.name} {plan.version}",
        "runs": len(ramps),
        "conversations_per_hour": round(world.per_hour, 3),
        "error_ratio": world.error_ratio,
        "harms": [str(fault) for fault in world.faults],
        **_told("false_rollback_probability", false_rollback),
        **_told("false_halving_probability", false_halving),
        **_told("completed_probability", completed),
        **_told("found_probability", _estimate(len(found), len(met))),
        "days_per_phase": [
            _days([ramp.phase_s[index] for ramp in ramps])
            for index in range(len(plan.phases))
        ],
        "days_to_completion": _days(
            [r.seconds if r.ended is State.COMPLETED else None for r in ramps]
        ),
        "hours_until_found": _spread([(ramp.found_s or 0) / 3600 for ramp in found]),
        "conversations_until_found": _spread([ramp.exposed_count for ramp in found]),
        "failed_until_found": _spread([ramp.failed_count for ramp in found]),
        "detectable_effect": [
            foresight.detectable(
                plan,
                index,
                conversations_per_hour=world.per_hour,
                base_error_ratio=world.error_ratio,
            )
            for index in range(len(plan.phases))
        ],
    }


def _share(ramps: Sequence[Ramp], *moves: Move) -> Estimate | None:
    return _estimate(sum(ramp.has(*moves) for ramp in ramps), len(ramps))


def _estimate(count: int, of: int) -> Estimate | None:
    return Estimate(count, of) if of else None


def _told(name: str, estimate: Estimate | None) -> dict[str, Any]:
    return {
        name: estimate.value if estimate else None,
        f"{name}_interval": list(estimate.interval) if estimate else None,
    }


def _days(seconds: Sequence[float | None]) -> float | None:
    """Return the median of those that there are, in days."""
    known = [each for each in seconds if each is not None]
    return round(median(known) / DAY_S, 3) if known else None


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    """Return the median, and what nine of ten do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    p90 = ordered[-(-len(ordered) * 9 // 10) - 1]
    return {"median": median(ordered), "p90": p90}
