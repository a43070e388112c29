"""What a rollout may ask about conversations: plain numbers of each arm.

Flags know no chat, so whoever has the conversations registers here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from flags.evidence.moments import Moments

__all__ = [
    "ArmCounts",
    "ArmSummary",
    "Moments",
    "Observations",
    "Traffic",
    "register",
    "source",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCounts:
    """What happened in one arm in a window.

    A conversation counts once a day (UTC) in each kind of event, where it first
    happened; `conversation_count` are those that had a turn which ended in the window.
    `…_past_count` are those of them to which it had happened earlier that day, so that
    it can't happen to them for the first time here.
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
    error_past_count: int = 0
    slow_past_count: int = 0
    blank_past_count: int = 0
    costly_past_count: int = 0
    disliked_past_count: int = 0
    hit_count: int = 0
    lookup_count: int = 0
    log_tokens_sum: float = 0.0
    log_tokens_squares: float = 0.0
    log_latency_sum: float = 0.0
    log_latency_squares: float = 0.0
    log_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """One arm over a phase: one value for each conversation, none of those that
    changed their variant meanwhile.

    `log_tokens` and `log_latency` are of the natural logarithm of a conversation's
    mean per complete turn (billed-equivalent prompt tokens; ms to the end).
    `failed_count` conversations had an error. `error_count` are turns, and
    `error_squares` sums the squares of each conversation's number of them: more than
    the turns themselves where errors come several to a conversation.
    `searched_count` conversations looked for their session, and `hit_ratio_sum` sums
    the share (0–1) of lookups that found it, over those.
    """

    conversation_count: int = 0
    failed_count: int = 0
    turn_count: int = 0
    error_count: int = 0
    error_squares: int = 0
    lookup_count: int = 0
    hit_count: int = 0
    searched_count: int = 0
    hit_ratio_sum: float = 0.0
    rated_count: int = 0
    disliked_count: int = 0
    log_tokens: Moments = field(default_factory=Moments)
    log_latency: Moments = field(default_factory=Moments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How many conversations had a turn, over some hours: drawn or not.

    Those without the feature are counted apart, with how many of them had an error;
    who had both is among those with it (`treated_count`) and those without.
    """

    hours: float
    conversation_count: int = 0
    treated_count: int = 0
    control_count: int = 0
    control_failed_count: int = 0

    @property
    def per_hour(self) -> float | None:
        """Conversations an hour; None: no data."""
        return self.conversation_count / self.hours if self.conversation_count else None

    @property
    def error_ratio(self) -> float | None:
        """The share (0–1) of conversations without the feature that failed."""
        if not self.control_count:
            return None
        return self.control_failed_count / self.control_count


class Observations(Protocol):
    """Everything is of the whole deployment, and read from the rows of the turns."""

    def windows(  # noqa: PLR0913 - when, by which limits, of whom
        self,
        begin: datetime,
        end: datetime,
        *,
        step_s: float,
        slow_ms: float,
        costly_tokens: float,
        drawn_since: datetime | None = None,
    ) -> Sequence[Mapping[str, ArmCounts]]:
        """Return what happened in each of the equal windows between two moments.

        By variant; of conversations only whose variant was drawn, and that had no turn
        before `drawn_since`. None: whenever.
        """
        ...

    def summary(
        self, begin: datetime, end: datetime, *, drawn_since: datetime | None = None
    ) -> Mapping[str, ArmSummary]:
        """Return the arms of a phase, by variant, of conversations as in `windows`."""
        ...

    def traffic(self, begin: datetime, end: datetime) -> Traffic:
        """Return how much was talked; the hours count from the first turn on."""
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
