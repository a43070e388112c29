"""What a chart is made of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

MAX_SERIES = 4
# How tall a state stands in a strip: the worse, the taller.
STATE_SHARES = {"healthy": 0.4, "degraded": 0.7, "unhealthy": 1.0}
_KEY = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a chart is called, and what it says in one sentence, for who can't see it.

    `key` tells it apart from the other charts of a page: small letters, digits, dashes.
    `unit` is of its values; times in `ms` are shown in seconds where they are long.
    """

    key: str
    title: str
    desc: str
    unit: str = ""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(
                f"{self.key!r} can't be a chart's key: it needs small letters, digits "
                "and dashes only, and a letter first."
            )


@dataclass(frozen=True, slots=True)
class Series:
    """Values in order of time; None, or what is not finite, is a gap: no data."""

    label: str
    values: Sequence[float | None]

    def known(self) -> list[float | None]:
        """Return the values; None for each that can't be drawn."""
        return [
            value if value is not None and isfinite(value) else None
            for value in self.values
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """The moments of a line's values, and how far its axes reach.

    That of time ends at `end` (None: with the last moment), that of values at `top`
    or above, and is logarithmic if asked for.
    """

    times: Sequence[datetime]
    end: datetime | None = None
    top: float | None = None
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line that values should not cross, in their unit.

    Where `{value}` stands in its label, the value is told in the axis' unit.
    """

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line: something happened."""

    at: datetime
    label: str


def refuse_misfits(series: Sequence[Series], times: Sequence[datetime]) -> None:
    """Raise ValueError where series and times don't make one chart."""
    if len(series) > MAX_SERIES:
        raise ValueError(
            f"A chart shows {MAX_SERIES} series at most, not {len(series)}; "
            "add up the smallest ones."
        )
    for each in series:
        if len(each.values) != len(times):
            raise ValueError(
                f"{each.label!r} has {len(each.values)} values for {len(times)} times; "
                "give one for each, None where there is no data."
            )
