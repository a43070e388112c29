"""What the chat tells monitoring about itself: plain numbers over a window.

Monitoring imports nobody, so whoever has the facts registers them here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil, floor
from typing import NamedTuple, Protocol, Self

from monitoring.registry import Ratio


class Measured(NamedTuple):
    """One value of a series; the label tells the parts of a series apart."""

    at: datetime
    name: str
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took, in ms. All but `count` are None where nothing was."""

    count: int = 0
    avg_ms: float | None = None
    min_ms: float | None = None
    max_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> Self:
        """Summarise single times, exactly."""
        if not times_ms:
            return cls()
        ordered = sorted(times_ms)
        return cls(
            count=len(ordered),
            avg_ms=sum(ordered) / len(ordered),
            min_ms=ordered[0],
            max_ms=ordered[-1],
            p50_ms=percentile(ordered, 0.50),
            p95_ms=percentile(ordered, 0.95),
            p99_ms=percentile(ordered, 0.99),
        )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return a percentile of sorted numbers, between two of them where it falls there.

    Linear interpolation: method 7 of Hyndman and Fan (1996), which NumPy takes, too.
    """
    place = (len(ordered) - 1) * share
    low, high = ordered[floor(place)], ordered[ceil(place)]
    return low + (high - low) * (place - floor(place))


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns that began in a window and have ended.

    `timing` is of those whose duration is known: not of one whose process died.
    """

    timing: Timing
    count: int
    errors_by_code: Mapping[str, int] = field(default_factory=dict)

    @property
    def error_count(self) -> int:
        """How many ended with an error."""
        return sum(self.errors_by_code.values())


@dataclass(frozen=True, slots=True)
class Tally:
    """Turns of a window, counted by the database. `avg_ms` None: none was timed."""

    count: int
    error_count: int
    timed_count: int
    avg_ms: float | None


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile of so many times; None: there were none."""

    value_ms: float | None
    count: int


@dataclass(frozen=True, slots=True)
class SessionTurns:
    """How the persistent turns of a window found their session; firsts don't count."""

    hit: int
    topped_up: int
    recovered: int
    stateless: int

    @property
    def valid(self) -> int:
        """How many had a session to find."""
        return self.hit + self.topped_up + self.recovered + self.stateless


@dataclass(frozen=True, slots=True)
class Arm:
    """One variant's turns in a window. None: no turn reported its tokens.

    `token_count` and `response_count` are how many turns each average is of.
    """

    turn_count: int
    input_tokens_per_turn: float | None
    response_ms: float | None
    token_count: int
    response_count: int


@dataclass(frozen=True, slots=True)
class Pool:
    """The live sessions of all processes.

    `emergency_share` of the maximum, and some are closed; `is_counted`: whether what
    is done with sessions is counted now.
    """

    count: int
    maximum: int
    size_bytes: int
    oldest_age_s: float | None
    cleanup_interval_s: int
    last_cleanup: datetime | None
    emergency_share: float
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Newcomers:
    """What was begun in a window."""

    sessions: int
    messages: int
    last_activity: datetime | None


class Facts(Protocol):
    """Everything is of the whole deployment, and read from the database now."""

    def turns(self, *, since: datetime) -> Turns:
        """Return the turns that began since and have ended."""
        ...

    def tally(self, *, since: datetime) -> Tally:
        """Count the turns that began since and have ended; cheap for hours, too."""
        ...

    def turn_percentile(self, share: float, *, since: datetime) -> Percentile:
        """Return a percentile of how long such turns took, exactly."""
        ...

    def first_text_percentile(self, share: float, *, since: datetime) -> Percentile:
        """Return a percentile of the time until their first text, exactly."""
        ...

    def session_turns(self, *, since: datetime) -> SessionTurns:
        """Return how persistent turns found their session."""
        ...

    def exposure(self, *, since: datetime) -> Ratio:
        """Return how many of the turns had a persistent session."""
        ...

    def session_timing(self, outcome: str, *, since: datetime) -> Timing:
        """Return how long sessions of this outcome took to get."""
        ...

    def arms(self, *, since: datetime) -> tuple[Arm, Arm]:
        """Return treatment and control."""
        ...

    def pool(self) -> Pool:
        """Return the live sessions."""
        ...

    def newcomers(self, *, since: datetime) -> Newcomers:
        """Return what was begun."""
        ...

    def is_persistent_enabled(self) -> bool:
        """Tell whether anybody may get a persistent session."""
        ...

    def measured(self, begin: datetime, end: datetime) -> Iterable[Measured]:
        """Yield what was measured on the turns that began in a window and have ended.

        Every value is 0 or more.
        """
        ...

    def is_measuring(self) -> bool:
        """Tell whether what is measured should be kept."""
        ...

    def running_since(self) -> datetime | None:
        """Return when the oldest turn began that still runs; None: none does."""
        ...


_source: list[Facts] = []


def register(source: Facts) -> None:
    """Say who knows; the last one counts."""
    _source[:] = [source]


def source() -> Facts:
    """Return who knows. Raises: LookupError when nobody has registered."""
    if not _source:
        raise LookupError("Nobody has registered what monitoring should tell.")
    return _source[0]
