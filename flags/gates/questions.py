"""What a success gate is asked at a look, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flags.evidence.looks import Look
from flags.observations import ArmSummary
from flags.plans import Plan, Success
from flags.readings import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whether a metric is beyond its threshold, by all of a phase until now.

    `look` counts from 0; those after the last planned one extend the phase. `before`
    are the looks that this gate has taken.
    """

    plan: Plan
    phase_index: int
    gate: Success
    look: int
    treatment: ArmSummary
    control: ArmSummary
    before: tuple[Look, ...] = ()

    @property
    def is_last(self) -> bool:
        """Whether this is the last of the planned looks."""
        return self.look == len(self.plan.phases[self.phase_index].looks) - 1

    @property
    def is_extended(self) -> bool:
        """Whether the planned looks are over."""
        return self.look >= len(self.plan.phases[self.phase_index].looks)

    @property
    def planned_pairs(self) -> float:
        """How much information the plan asks for (`Difference.information`)."""
        share = float(self.plan.percent_of(self.phase_index)) / 100
        return self.plan.phases[self.phase_index].unit_count * (1 - share)

    @property
    def elapsed_share(self) -> float:
        """Which part of the phase's time is over at this look, 0–1."""
        looks = self.plan.phases[self.phase_index].looks
        return 1.0 if self.is_extended else looks[self.look]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict, what was measured in words, and its numbers.

    `needed_count` is about how many more treatment conversations tell; None: it can't
    be said. `look` is to be kept, None: none was taken.
    """

    verdict: Verdict
    found: str
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    needed_count: int | None = None
    look: Look | None = None
