"""What a rollout may ask about conversations: plain numbers of each arm.

Flags know no chat, so whoever has the conversations registers here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCounts:
    """What happened in one arm in a window.

    A conversation counts once a day (UTC) in each kind of event, where it first
    happened; `conversation_count` are those that had a turn which ended in the window.
    `assigned_count` are those whose variant was drawn in it. The sums are of natural
    logarithms, one value for each conversation of the window: `log_count` of them.
    """

    assigned_count: int = 0
    conversation_count: int = 0
    turn_count: int = 0
    persistent_count: int = 0
    error_count: int = 0
    slow_count: int = 0
    blank_count: int = 0
    costly_count: int = 0
    rated_count: int = 0
    disliked_count: int = 0
    hit_count: int = 0
    lookup_count: int = 0
    log_tokens_sum: float = 0.0
    log_tokens_squares: float = 0.0
    log_latency_sum: float = 0.0
    log_latency_squares: float = 0.0
    log_count: int = 0


@dataclass(frozen=True, slots=True)
class Moments:
    """How many values, their mean, and the sum of their squared distances from it."""

    count: int
    mean: float
    squares: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """One arm over a phase: one value for each conversation, none of those that
    changed their variant meanwhile.

    `log_tokens` and `log_latency` are of the natural logarithm of a conversation's
    mean per complete turn (billed-equivalent prompt tokens; ms to the end).
    """

    conversation_count: int
    failed_count: int
    lookup_count: int
    hit_count: int
    rated_count: int
    disliked_count: int
    log_tokens: Moments
    log_latency: Moments


class Observations(Protocol):
    """Everything is of the whole deployment, and read from the rows of the turns."""

    def window(
        self, begin: datetime, end: datetime, *, slow_ms: float
    ) -> Mapping[str, ArmCounts]:
        """Return what happened between two moments, by variant."""
        ...

    def summary(self, begin: datetime, end: datetime) -> Mapping[str, ArmSummary]:
        """Return the arms of a phase, by variant; for looks, not for every tick."""
        ...

    def persistent_since(self, moment: datetime) -> tuple[int, datetime | None]:
        """Return how many turns were begun persistently since, and the last of them."""
        ...


_sources: Sequence[Observations] = ()


def register(source: Observations) -> None:
    """Say who knows; the last one counts."""
    global _sources  # noqa: PLW0603 - one per process
    _sources = (source,)


def source() -> Observations:
    """Return who knows. Raises: LookupError when nobody has registered."""
    if not _sources:
        raise LookupError("Nobody has registered the conversations.")
    return _sources[0]
