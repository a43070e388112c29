"""What a simulated ramp meets: traffic, trouble that both arms share, and effects."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import NormalDist
from typing import Self

HOURS = 24
# By the name on the command line: the event that it makes more frequent.
KINDS = ("errors", "empty", "latency", "tokens", "dislikes")
_FAULT = re.compile(r"(\w+)=x(\d+(?:\.\d+)?)@(\d+(?:\.\d+)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a day: its conversations, and which share of them fails (0–1)."""

    per_hour: float
    error_ratio: float
    blank_ratio: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """Trouble of the provider: both arms fail so often (0–1), or take so many times
    as long, for some minutes, so many times a day.
    """

    a_day: float
    minutes: float
    error_ratio: float = 0.0
    slowdown: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the feature really does: shares (0–1) of time and tokens that it saves, and
    of lookups that find their session.
    """

    latency_reduction: float = 0.35
    token_reduction: float = 0.5
    hit_ratio: float = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Harm that the feature does: something is so many times as frequent, or as much,
    in treatment from a percent on.
    """

    kind: str
    factor: float
    percent: Decimal

    @classmethod
    def of(cls, text: str) -> Self:
        """Read `errors=x10@10`: tenfold from 10 % on. Raises: ValueError."""
        found = _FAULT.fullmatch(text)
        if found is None or found[1] not in KINDS or float(found[2]) <= 0:
            raise ValueError(
                f"{text!r} is no harm: KIND=xFACTOR@PERCENT is, such as "
                f"errors=x10@10, where KIND is one of {', '.join(KINDS)}."
            )
        return cls(kind=found[1], factor=float(found[2]), percent=Decimal(found[3]))

    def __str__(self) -> str:
        return f"{self.kind}=x{self.factor:g}@{self.percent:f}"


# A quarter of an hour every other day; short bursts; an hour of slow answers a day.
TROUBLE = (
    Spell(a_day=0.5, minutes=15, error_ratio=0.3),
    Spell(a_day=6, minutes=2, error_ratio=0.1),
    Spell(a_day=1, minutes=60, slowdown=1.8),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Conversations that are alike but for their luck; each is over in one window.

    A simulated day is one of the `days`, drawn anew each time; `trouble` comes on top.
    Times and tokens are log-normal with these medians; spreads are of logarithms.
    """

    days: tuple[tuple[Hour, ...], ...]
    trouble: tuple[Spell, ...] = ()
    turns: int = 3
    latency_ms: float = 1500.0
    latency_spread: float = 0.35
    tokens: float = 3000.0
    tokens_spread: float = 0.6
    rated_ratio: float = 0.02
    disliked_ratio: float = 0.1
    effect: Effect = Effect()
    faults: tuple[Fault, ...] = ()

    @property
    def per_hour(self) -> float:
        """Conversations an hour, on average."""
        return self._mean([hour.per_hour for day in self.days for hour in day])

    @property
    def error_ratio(self) -> float:
        """Which share of conversations fails usually, 0–1; trouble is not counted."""
        hours = [hour for day in self.days for hour in day]
        failed = sum(hour.per_hour * hour.error_ratio for hour in hours)
        everybody = sum(hour.per_hour for hour in hours)
        return failed / everybody if everybody else 0.0

    def with_faults(self, faults: Sequence[Fault]) -> Self:
        """Return the same world with another feature."""
        return replace(self, faults=tuple(faults))

    @staticmethod
    def _mean(values: Sequence[float]) -> float:
        return sum(values) / len(values) if values else 0.0


def synthetic(
    *,
    per_hour: float = 2000.0,
    error_ratio: float = 0.005,
    blank_ratio: float = 0.002,
    swing: float = 0.9,
    trouble: tuple[Spell, ...] = TROUBLE,
) -> World:
    """Return a world whose traffic swings over the day by so much of its mean (0–1)."""
    day = tuple(
        Hour(
            per_hour * (1 + swing * math.sin(hour / HOURS * math.tau)),
            error_ratio,
            blank_ratio,
        )
        for hour in range(HOURS)
    )
    return World(days=(day,), trouble=trouble)


def share_above(limit: float, *, median: float, spread: float) -> float:
    """Return which share of log-normal values is above a limit, 0–1."""
    if median <= 0:
        return 0.0
    if spread <= 0:
        return float(median > limit)
    return NormalDist().cdf(math.log(median / limit) / spread)
