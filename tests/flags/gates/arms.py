"""Windows and phases of two arms, as few words as possible."""

from decimal import Decimal
from typing import Any

from flags.evidence.moments import Moments
from flags.gates.counts import Drawn
from flags.observations import ArmCounts, ArmSummary


def window(
    treatment: tuple[int, int] = (20, 0),
    control: tuple[int, int] = (180, 1),
    *,
    event: str = "error",
    assigned: tuple[int, int] | None = None,
    **place: Any,
) -> Drawn:
    """Return a window: how many conversations were active, and to how many it happened.

    Those active were drawn in it, too, if nothing else is said. It is in the second
    phase, at 10 %, if `place` has no `phase_index` and `percent`.
    """
    ours, theirs = assigned or (treatment[0], control[0])
    return Drawn(
        phase_index=place.get("phase_index", 1),
        percent=Decimal(place.get("percent", 10)),
        treatment=_arm(treatment, event, ours),
        control=_arm(control, event, theirs),
    )


def _arm(counts: tuple[int, int], event: str, assigned: int) -> ArmCounts:
    active, failed = counts
    fields: dict[str, Any] = {f"{event}_count": failed}
    if event == "disliked":
        fields["rated_count"] = active
    return ArmCounts(assigned_count=assigned, conversation_count=active, **fields)


def arm(count: int, failed: int = 0, **fields: Any) -> ArmSummary:
    """Return an arm of a phase, with two turns to a conversation."""
    plain: dict[str, Any] = {
        "turn_count": 2 * count,
        "error_count": failed,
        "error_squares": failed,
    }
    return ArmSummary(conversation_count=count, failed_count=failed, **plain | fields)


def spread(count: int, mean: float, deviation: float = 0.5) -> Moments:
    """Return the moments of so many values with this mean and standard deviation."""
    around = deviation**2 * (count - 1)
    return Moments(count=count, total=count * mean, squares=count * mean**2 + around)
