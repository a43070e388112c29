"""What the turns of some windows come to: plain numbers, each event once a day."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
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


class Rated(NamedTuple):
    """Somebody's word on an answer; it belongs to when it was given."""

    conversation_id: int
    variant: str
    at: datetime
    is_good: bool


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

    @property
    def midnight(self) -> datetime:
        """When the day (UTC) of the first window began."""
        return datetime.combine(self.begin.date(), time(), UTC)

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


_Shares = Mapping[tuple[int, str, int], Sequence[Turn]]


def count(
    turns: Iterable[Turn],
    drawn: Iterable[Drawn],
    ratings: Iterable[Rated] = (),
    *,
    grid: Grid,
    bounds: Bounds,
) -> list[dict[str, ArmCounts]]:
    """Count each window of the grid, by variant; both have an entry in each.

    Among the turns and ratings are those from before the grid of the same day and the
    same conversations: what has happened to a conversation already counts no more
    today.
    """
    arms: dict[tuple[int, str], _Arm] = defaultdict(_Arm)
    _add_ratings(arms, ratings, grid)
    for each in drawn:
        arms[grid.index(each.at), each.variant].tally["assigned_count"] += 1
    seen: dict[tuple[int, int], set[str]] = defaultdict(set)
    for (index, variant, conversation_id), share in sorted(
        _shares(turns, grid).items()
    ):
        past = seen[conversation_id, grid.day(index)]
        tokens, time_ms = _means(share)
        happened = set(_events(share, tokens, time_ms, bounds))
        if index >= 0:
            arm = arms[index, variant]
            arm.add(share, new=happened - past, past=past)
            arm.add_logs(tokens, time_ms)
        past |= happened
    return [
        {variant: arms[index, variant].counts() for variant in _VARIANTS}
        for index in range(grid.count)
    ]


def _add_ratings(
    arms: Mapping[tuple[int, str], "_Arm"], ratings: Iterable[Rated], grid: Grid
) -> None:
    """Add who rated in a window, and who was displeased for the first time that day."""
    shares: dict[tuple[int, str, int], bool] = defaultdict(bool)
    for each in ratings:
        shares[
            grid.index(each.at), each.variant, each.conversation_id
        ] |= not each.is_good
    displeased: set[tuple[int, int]] = set()
    for (index, variant, conversation_id), is_bad in sorted(shares.items()):
        today = (conversation_id, grid.day(index))
        if index >= 0:
            tally = arms[index, variant].tally
            tally["rated_count"] += 1
            tally["disliked_count"] += is_bad and today not in displeased
            tally["disliked_past_count"] += today in displeased
        if is_bad:
            displeased.add(today)


class _Arm:
    """The sum of a window's conversations in one arm."""

    def __init__(self) -> None:
        self.tally: Counter[str] = Counter()
        self.logs: list[tuple[float, float]] = []

    def add(
        self, share: Sequence[Turn], *, new: Iterable[str], past: Iterable[str]
    ) -> None:
        tally = self.tally
        tally["conversation_count"] += 1
        tally["turn_count"] += len(share)
        for turn in share:
            tally["persistent_count"] += turn.is_persistent
            tally["lookup_count"] += turn.is_lookup
            tally["hit_count"] += turn.is_hit
        for event in new:
            tally[f"{event}_count"] += 1
        for event in past:
            tally[f"{event}_past_count"] += 1

    def add_logs(self, tokens: float | None, time_ms: float | None) -> None:
        if tokens and time_ms and tokens > 0:
            self.logs.append((log(tokens), log(time_ms)))

    def counts(self) -> ArmCounts:
        # Exact sums, so that the same rows in another order make the same number.
        return ArmCounts(
            **self.tally,
            log_tokens_sum=fsum(tokens for tokens, _ in self.logs),
            log_tokens_squares=fsum(tokens**2 for tokens, _ in self.logs),
            log_latency_sum=fsum(time for _, time in self.logs),
            log_latency_squares=fsum(time**2 for _, time in self.logs),
            log_count=len(self.logs),
        )


def _shares(turns: Iterable[Turn], grid: Grid) -> _Shares:
    """Put together what one conversation did in one window, in one arm."""
    shares: dict[tuple[int, str, int], list[Turn]] = defaultdict(list)
    for turn in turns:
        key = (grid.index(turn.ended_at), turn.variant, turn.conversation_id)
        shares[key].append(turn)
    return shares


def _events(
    share: Sequence[Turn], tokens: float | None, time_ms: float | None, bounds: Bounds
) -> Iterator[str]:
    """Name what happened to the conversation here."""
    if any(turn.is_error for turn in share):
        yield "error"
    if any(turn.is_blank for turn in share):
        yield "blank"
    if time_ms is not None and time_ms > bounds.slow_ms:
        yield "slow"
    if tokens is not None and tokens > bounds.costly_tokens:
        yield "costly"


def _means(share: Sequence[Turn]) -> tuple[float | None, float | None]:
    """Return the means of billed tokens and of ms; None: no complete turn has it."""
    good = [turn for turn in share if turn.is_good]
    return (
        _mean([turn.billed_tokens for turn in good if turn.billed_tokens is not None]),
        _mean([turn.duration_ms for turn in good if turn.duration_ms is not None]),
    )


def _mean(values: list[float]) -> float | None:
    return fsum(values) / len(values) if values else None
