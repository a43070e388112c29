"""Means and spreads of a metric, one value for each conversation, in two arms."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """How many values, their sum and the sum of their squares; so windows add up.

    Meant for logarithms of tokens or milliseconds: sums of the raw values are ruled by
    a few long conversations, and proofs from them are false too often.
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            count=self.count + other.count,
            total=self.total + other.total,
            squares=self.squares + other.squares,
        )

    @property
    def mean(self) -> float | None:
        """The mean; None without values."""
        return self.total / self.count if self.count else None

    @property
    def variance(self) -> float | None:
        """The variance of one value, by n − 1; None with fewer than two."""
        if self.count < 2:
            return None
        around = self.squares - self.total * self.total / self.count
        return max(0.0, around) / (self.count - 1)

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same moments of."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read kept moments. Raises: KeyError, TypeError, ValueError."""
        return cls(
            count=int(kept["count"]),
            total=float(kept["total"]),
            squares=float(kept["squares"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Treatment's mean minus control's; of logarithms it is the log of a ratio.

    `information` counts pairs: 1/(1/n_t + 1/n_c), what the precision grows with.
    """

    estimate: float
    standard_error: float
    information: float

    def z(self, *, limit: float) -> float:
        """Return how many standard errors the estimate lies below the limit."""
        return (limit - self.estimate) / self.standard_error


def difference(*, treatment: Moments, control: Moments) -> Difference | None:
    """Compare two arms as Welch does; None where an arm has no spread to judge by.

    That is fewer than two values, or all values the same.
    """
    ours, theirs = treatment.variance, control.variance
    if not ours or not theirs:
        return None
    return Difference(
        estimate=treatment.total / treatment.count - control.total / control.count,
        standard_error=math.sqrt(ours / treatment.count + theirs / control.count),
        information=1 / (1 / treatment.count + 1 / control.count),
    )
