"""What the turns of some windows come to: plain numbers, each event once a day."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import fsum, log
from typing import NamedTuple

from flags.evaluation import Variant
from flags.observations import ArmCounts

_VARIANTS = tuple(each.value for each in Variant)


class Turn(NamedTuple):
    """A turn that has ended; the means are of those that came to a good end.

    None: the model did not report it, or nobody timed it.
    """

    conversation_id: int
    variant: str
    ended_at: datetime
    is_persistent: bool
    is_lookup: bool
    is_hit: bool
    is_error: bool
    is_blank: bool
    is_good: bool
    billed_tokens: float | None
    duration_ms: float | None


class Drawn(NamedTuple):
    """A conversation whose variant was drawn by its bucket, at its first turn."""

    at: datetime
    variant: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Equal windows beside each other; one before the first has a negative index."""

    begin: datetime
    step: timedelta
    count: int

    @property
    def end(self) -> datetime:
        """The end of the last window."""
        return self.begin + self.count * self.step

    def index(self, at: datetime) -> int:
        """Return the window that a moment is in."""
        return (at - self.begin) // self.step

    def day(self, index: int) -> int:
        """Return the day (UTC) of a window: that of its begin."""
        return (self.begin + index * self.step).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Above which mean of a conversation in a window it is slow, or costly."""

    slow_ms: float
    costly_tokens: float


@dataclass(slots=True)
class _Share:
    """What one conversation did in one window, in one arm."""

    tally: Counter[str] = field(default_factory=Counter)
    tokens: list[float] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)

    def add(self, turn: Turn) -> None:
        self.tally.update(
            turn_count=1,
            persistent_count=turn.is_persistent,
            lookup_count=turn.is_lookup,
            hit_count=turn.is_hit,
            errors=turn.is_error,
            blanks=turn.is_blank,
        )
        if turn.is_good and turn.billed_tokens is not None:
            self.tokens.append(turn.billed_tokens)
        if turn.is_good and turn.duration_ms is not None:
            self.times_ms.append(turn.duration_ms)

    def events(self, bounds: Bounds) -> Iterator[str]:
        """Name what happened to the conversation here."""
        tokens, time_ms = _mean(self.tokens), _mean(self.times_ms)
        if self.tally["errors"]:
            yield "error"
        if self.tally["blanks"]:
            yield "blank"
        if time_ms is not None and time_ms > bounds.slow_ms:
            yield "slow"
        if tokens is not None and tokens > bounds.costly_tokens:
            yield "costly"


_Shares = Mapping[tuple[int, str, int], _Share]


def count(
    turns: Iterable[Turn], drawn: Iterable[Drawn], *, grid: Grid, bounds: Bounds
) -> list[dict[str, ArmCounts]]:
    """Count each window of the grid, by variant; both have an entry in each.

    Among the turns are those from before the grid of the same day and the same
    conversations: what has happened to a conversation already counts no more today.
    """
    arms: dict[tuple[int, str], _Arm] = defaultdict(_Arm)
    for each in drawn:
        arms[grid.index(each.at), each.variant].tally["assigned_count"] += 1
    seen: dict[tuple[int, int], set[str]] = defaultdict(set)
    for (index, variant, conversation_id), share in sorted(
        _shares(turns, grid).items()
    ):
        past = seen[conversation_id, grid.day(index)]
        happened = set(share.events(bounds))
        if index >= 0:
            arms[index, variant].add(share, new=happened - past, past=past)
        past |= happened
    return [
        {variant: arms[index, variant].counts() for variant in _VARIANTS}
        for index in range(grid.count)
    ]


class _Arm:
    """The sum of a window's conversations in one arm."""

    def __init__(self) -> None:
        self.tally: Counter[str] = Counter()
        self.logs: list[tuple[float, float]] = []

    def add(self, share: _Share, *, new: Iterable[str], past: Iterable[str]) -> None:
        self.tally.update(share.tally)
        self.tally.update(f"{event}_count" for event in new)
        self.tally.update(f"{event}_past_count" for event in past)
        self.tally["conversation_count"] += 1
        tokens, time_ms = _mean(share.tokens), _mean(share.times_ms)
        if tokens and time_ms and tokens > 0:
            self.logs.append((log(tokens), log(time_ms)))

    def counts(self) -> ArmCounts:
        tally = {name: n for name, n in self.tally.items() if name.endswith("_count")}
        # Exact sums, so that the same rows in another order make the same number.
        return ArmCounts(
            **tally,
            log_tokens_sum=fsum(tokens for tokens, _ in self.logs),
            log_tokens_squares=fsum(tokens**2 for tokens, _ in self.logs),
            log_latency_sum=fsum(time for _, time in self.logs),
            log_latency_squares=fsum(time**2 for _, time in self.logs),
            log_count=len(self.logs),
        )


def _shares(turns: Iterable[Turn], grid: Grid) -> _Shares:
    shares: dict[tuple[int, str, int], _Share] = defaultdict(_Share)
    for turn in turns:
        key = (grid.index(turn.ended_at), turn.variant, turn.conversation_id)
        shares[key].add(turn)
    return shares


def _mean(values: list[float]) -> float | None:
    return fsum(values) / len(values) if values else None
