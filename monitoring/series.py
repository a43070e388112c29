"""What `/metrics` tells of the past: numbers with labels that only grow.

Each is a running total of all processes (`monitoring.metrics`), so it survives restarts
and is written in the transaction of what it counts: `metrics.count(**TURNS.delta(…))`.
"""

import json
from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias, TypeVar

OTHER = "other"
NONE = "none"
_ALL = "+Inf"
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How often something was; `fixed` are labels that have one value only."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)

    def delta(self, *values: str, by: int = 1) -> dict[str, int]:
        """Return what to add to which total; `values` are those of the labels."""
        return {key(self.name, self.labels, values): by}


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How large something was, in buckets up to and including each of the bounds.

    The sum is kept in whole numbers, `per_unit` of which are one.
    """

    name: str
    help: str
    bounds: tuple[float, ...]
    labels: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    per_unit: int = _MICRO

    def delta(self, value: float, *values: str) -> dict[str, int]:
        """Return what one measurement adds to which totals."""
        place = bisect_left(self.bounds, value)
        bound = str(self.bounds[place]) if place < len(self.bounds) else _ALL
        return {
            key(f"{self.name}_bucket", (*self.labels, "le"), (*values, bound)): 1,
            key(f"{self.name}_sum", self.labels, values): round(value * self.per_unit),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Totals that are counted under names of their own, told apart by one label."""

    name: str
    help: str
    label: str
    totals: Mapping[str, str]


Series: TypeAlias = Counter | Histogram | Plain
S = TypeVar("S", Counter, Histogram, Plain)
_declared: dict[str, Series] = {}


def declare(series: S) -> S:
    """Make a series known to `/metrics`."""
    _declared[series.name] = series
    return series


def declared() -> list[Series]:
    """Return every series, by name."""
    return [series for _, series in sorted(_declared.items())]


def known(value: str, among: Collection[str]) -> str:
    """Return the value if it is one of these, else a word for all others.

    Labels must be few: each combination is a row for good.
    """
    return value if value in among else OTHER


@lru_cache(maxsize=4096)
def key(name: str, labels: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Return the total's name: the series' own, and its labels as JSON."""
    pairs = dict(zip(labels, values, strict=True))
    return name + json.dumps(pairs, separators=(",", ":"), ensure_ascii=False)


def parsed(total: str) -> tuple[str, dict[str, str]] | None:
    """Return name and labels of a total; None for one that has no labels."""
    name, brace, rest = total.partition("{")
    return (name, json.loads(brace + rest)) if brace else None
