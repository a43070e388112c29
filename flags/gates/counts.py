"""What one window says of both arms, as the gates look at it."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from flags.evidence.fisher import Counts
from flags.observations import ArmCounts


class Pair(Protocol):
    """A window of a rollout: where it was at the window's begin, and both arms."""

    @property
    def phase_index(self) -> int:
        """The phase, from 0."""

    @property
    def percent(self) -> Decimal:
        """How many of 100 new conversations got the feature."""

    @property
    def treatment(self) -> ArmCounts:
        """The arm with the feature."""

    @property
    def control(self) -> ArmCounts:
        """The arm without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A `Pair` of a simulation, that no row stands for."""

    phase_index: int
    percent: Decimal
    treatment: ArmCounts = field(default_factory=ArmCounts)
    control: ArmCounts = field(default_factory=ArmCounts)


def at_risk(event: str, pair: Pair) -> Counts:
    """Return how many conversations may have an event here, and how many had it.

    One to which it happened earlier that day may not: it happens once a day. Disliked
    are only those that were rated.
    """
    treatment, treatment_failed = _arm(event, pair.treatment)
    control, control_failed = _arm(event, pair.control)
    return Counts(
        treatment_count=treatment,
        treatment_failed=treatment_failed,
        control_count=control,
        control_failed=control_failed,
    )


def _arm(event: str, arm: ArmCounts) -> tuple[int, int]:
    failed: int = max(0, getattr(arm, f"{event}_count"))
    active = arm.rated_count if event == "disliked" else arm.conversation_count
    # Late rows may correct one number before the other; safety can't wait for both.
    return max(failed, active - getattr(arm, f"{event}_past_count")), failed
