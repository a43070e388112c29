"""How values are spread, small enough to keep: sketches that add up exactly.

DDSketch of Masson, Rim and Lee (VLDB 2019): buckets whose bounds grow by a constant
factor, so that every quantile is right within 1 % of its value, however many sketches
were merged.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, floor, isfinite, log
from operator import add
from typing import Self, TypeAlias

ACCURACY = 0.01
# Smaller values count as 0: they have bucket 0, and no bucket is negative.
SMALLEST = 1e-6
_GROWTH = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GROWTH = log(_GROWTH)
# So many empty buckets take as much room as the begin of another run.
_GAP = 3

# The first bucket's number, then the count of it and of those that follow. Lists like
# these are read and added up twice as fast as a mapping, and take half its room.
Run: TypeAlias = list[int]


@dataclass(frozen=True, slots=True)
class Sketch:
    """The counts of all buckets that have any, as runs in rising order."""

    runs: tuple[Run, ...] = ()

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Count single values. Raises: ValueError for one below 0 or not finite."""
        counts = Counter(map(_bucket, values))
        return cls(tuple(_runs(sorted(counts.items()))))

    @classmethod
    def merged(cls, parts: Iterable["Sketch"]) -> Self:
        """Add up sketches: the same as one of all their values."""
        counts: list[int] = []
        for part in parts:
            for run in part.runs:
                first, end = run[0], run[0] + len(run) - 1
                if end > len(counts):
                    counts.extend([0] * (end - len(counts)))
                counts[first:end] = map(add, counts[first:end], run[1:])
        filled = [(bucket, count) for bucket, count in enumerate(counts) if count]
        return cls(tuple(_runs(filled)))

    @property
    def count(self) -> int:
        """How many values were counted."""
        return sum(sum(run) - run[0] for run in self.runs)

    def quantile(self, share: float) -> float | None:
        """Return a quantile, at most 1 % off; None without values.

        Between two values it is interpolated as `monitoring.facts.percentile` does.
        """
        count = self.count
        if not count:
            return None
        place = (count - 1) * share
        low, high = self._value(floor(place)), self._value(ceil(place))
        return low + (high - low) * (place - floor(place))

    def _value(self, rank: int) -> float:
        """Return the value of this rank, of which the smallest has 0."""
        passed = 0
        for first, *run in self.runs:
            for bucket, count in enumerate(run, first):
                passed += count
                if passed > rank:
                    return _middle(bucket)
        raise IndexError(rank)


def _bucket(value: float) -> int:
    if not (isfinite(value) and value >= 0):
        raise ValueError(f"Expected a finite number from 0 on, not {value!r}.")
    return 0 if value <= SMALLEST else ceil(log(value / SMALLEST) / _LOG_GROWTH)


def _middle(bucket: int) -> float:
    """Return what is at most 1 % off every value that the bucket may hold."""
    if bucket == 0:
        return 0.0
    return SMALLEST * float(2 * _GROWTH**bucket / (_GROWTH + 1))


def _runs(counts: Iterable[tuple[int, int]]) -> Iterator[Run]:
    """Join buckets that are near each other; `counts` has them in rising order."""
    run: Run = []
    for bucket, count in counts:
        gap = bucket - run[0] - len(run) + 1 if run else 0
        if not run or gap > _GAP:
            if run:
                yield run
            run = [bucket, count]
        else:
            run.extend([*[0] * gap, count])
    if run:
        yield run
