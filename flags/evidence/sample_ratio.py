"""Whether treatment gets the share of conversations that was set, at any moment."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from flags.evidence.beta import log_beta

CONCENTRATION = 30.0  # conversations' worth of trust in the share that was set


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Conversations that got an arm since the share was last set, and what came before.

    `share` is treatment's expected part, above 0 and below 1. `number` counts the
    shares set so far, from 1. `earlier` is the evidence that those before left, each
    by its weight.

    Raises: ValueError where nobody or everybody is meant to be in treatment: there is
    no ratio to test then.
    """

    share: float
    treatment_count: int = 0
    count: int = 0
    number: int = 1
    earlier: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"A share must be between 0 and 1, not {self.share}.")

    @property
    def evidence(self) -> float:
        """Return the evidence of a wrong share; 1/α or more is wrong at level α.

        1 before anything came. The k-th share has weight 1/(k (k + 1)); the weight of
        those still to come, 1/(k + 1), stands at 1, so all sum to 1 at the beginning.
        """
        return self.earlier + self._weighted() + 1 / (self.number + 1)

    def _weighted(self) -> float:
        log_e = log_evidence(
            treatment_count=self.treatment_count, count=self.count, share=self.share
        )
        return math.exp(min(log_e, 690.0)) / (self.number * (self.number + 1))

    def add(self, *, treatment_count: int, count: int) -> "State":
        """Add `count` conversations in all, `treatment_count` of them in treatment.

        Raises: ValueError where treatment has more than all.
        """
        if not 0 <= treatment_count <= count:
            raise ValueError(
                f"Treatment must have 0 to {count} conversations, as many as came,"
                f" not {treatment_count}."
            )
        return replace(
            self,
            treatment_count=self.treatment_count + treatment_count,
            count=self.count + count,
        )

    def begin(self, *, share: float) -> "State":
        """Start counting anew, for another share; what was found stays found."""
        return State(
            share=share,
            number=self.number + 1,
            earlier=self.earlier + self._weighted(),
        )

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same state of, to the last bit."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read a kept state. Raises: KeyError, TypeError, ValueError."""
        return cls(
            share=float(kept["share"]),
            treatment_count=int(kept["treatment_count"]),
            count=int(kept["count"]),
            number=int(kept["number"]),
            earlier=float(kept["earlier"]),
        )


def log_evidence(*, treatment_count: int, count: int, share: float) -> float:
    """Weigh one share against all others: log of an e-process, 0 without data.

    Bayes factor of Beta(κ·share, κ·(1 − share)) over the share itself: Lindon, Malek
    2022, "Anytime-valid inference for multinomial count data", arXiv:2011.03567.
    """
    a, b = CONCENTRATION * share, CONCENTRATION * (1 - share)
    control_count = count - treatment_count
    return (
        log_beta(a + treatment_count, b + control_count)
        - log_beta(a, b)
        - treatment_count * math.log(share)
        - control_count * math.log1p(-share)
    )
