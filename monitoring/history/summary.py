"""What is known of many values without keeping each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Self

from monitoring.history.sketch import Run, Sketch

# What a point keeps of its values, in the order of `Summary.stored`; then the sketch.
COLUMNS = ("count", "total", "low", "high")


@dataclass(frozen=True, slots=True)
class Summary:
    """Count, sum and extremes are exact; percentiles are right within 1 %.

    Where there are no values, or their spread was not kept, a number is None.
    """

    count: int = 0
    total: float = 0.0
    low: float | None = None
    high: float | None = None
    spread: Sketch | None = None

    @classmethod
    def of(cls, values: Sequence[float], *, has_spread: bool) -> Self:
        """Summarise single values. Raises: ValueError for a spread of one below 0."""
        if not values:
            return cls()
        return cls(
            count=len(values),
            total=fsum(values),
            low=min(values),
            high=max(values),
            spread=Sketch.of(values) if has_spread else None,
        )

    @classmethod
    def stored(
        cls,
        count: int,
        total: float,
        low: float | None,
        high: float | None,
        runs: Iterable[Run] | None = None,
    ) -> Self:
        """Return what a point has stored; its runs are those of a sketch."""
        spread = None if runs is None else Sketch(tuple(runs))
        return cls(count, total, low, high, spread)

    @classmethod
    def merged(cls, parts: Iterable["Summary"]) -> Self:
        """Summarise what others are of; without the spread if one of them has none."""
        filled = [part for part in parts if part.count]
        if not filled:
            return cls()
        spreads = [part.spread for part in filled if part.spread is not None]
        is_whole = len(spreads) == len(filled)
        return cls(
            count=sum(part.count for part in filled),
            total=fsum(part.total for part in filled),
            low=min((p.low for p in filled if p.low is not None), default=None),
            high=max((p.high for p in filled if p.high is not None), default=None),
            spread=Sketch.merged(spreads) if is_whole else None,
        )

    @property
    def avg(self) -> float | None:
        """The mean, exactly."""
        return self.total / self.count if self.count else None

    @property
    def p50(self) -> float | None:
        """The median."""
        return self.percentile(0.50)

    @property
    def p95(self) -> float | None:
        """What 95 % of the values do not exceed."""
        return self.percentile(0.95)

    @property
    def p99(self) -> float | None:
        """What 99 % of the values do not exceed."""
        return self.percentile(0.99)

    def percentile(self, share: float) -> float | None:
        """Return the value below which this share (0 to 1) of all values is."""
        near = self.spread.quantile(share) if self.spread else None
        if near is None or self.low is None or self.high is None:
            return None
        return min(max(near, self.low), self.high)
