"""The arms of a whole phase: one value for each conversation, added up."""

from collections import Counter
from datetime import datetime
from math import fsum, log
from typing import Any, NamedTuple

from django.db.models import Avg, Count, Exists, OuterRef, Q, QuerySet

from chat import observations_turns
from chat.models import VariantChange
from flags.observations import ArmSummary, Moments


class _Conversation(NamedTuple):
    """What one of them did; the means are of its complete turns, None: no data."""

    turns: int
    errors: int
    lookups: int
    hits: int
    tokens: float | None
    time_ms: float | None
    ratings: int
    bad_ratings: int


def arms(
    begin: datetime, end: datetime, drawn_since: datetime | None = None
) -> dict[str, ArmSummary]:
    """Return both arms, by variant; no more than a row for each conversation."""
    arms = {variant: _Arm() for variant in observations_turns.ARMS}
    for variant, *row in _by_conversation(begin, end, drawn_since).iterator():
        arms[variant].add(_Conversation(*row))
    return {variant: arm.summary() for variant, arm in arms.items()}


def _by_conversation(
    begin: datetime, end: datetime, drawn_since: datetime | None
) -> "QuerySet[Any, Any]":
    """Return a row for each conversation that has had no other variant until then."""
    changes = VariantChange.objects.filter(
        conversation=OuterRef("conversation"), created_at__lt=end
    )
    return (
        observations_turns.ended(begin, end, drawn_since)
        .filter(~Exists(changes))
        .values("conversation_id", "variant")
        .annotate(
            turns=Count("id"),
            errors=Count("id", filter=observations_turns.IS_ERROR),
            lookups=Count("id", filter=observations_turns.IS_LOOKUP),
            hits=Count("id", filter=observations_turns.IS_HIT),
            tokens=Avg(observations_turns.BILLED, filter=observations_turns.IS_GOOD),
            time_ms=Avg("duration_ms", filter=observations_turns.IS_GOOD),
            ratings=Count("message__rating"),
            bad_ratings=Count("id", filter=Q(message__rating__is_good=False)),
        )
        .values_list("variant", *_Conversation._fields)
    )


class _Arm:
    """The conversations of an arm, added up one after the other."""

    def __init__(self) -> None:
        self.tally: Counter[str] = Counter()
        self.hit_ratios: list[float] = []
        self.tokens: list[float] = []
        self.times: list[float] = []

    def add(self, one: _Conversation) -> None:
        self.tally.update(
            conversation_count=1,
            failed_count=int(one.errors > 0),
            turn_count=one.turns,
            error_count=one.errors,
            error_squares=one.errors**2,
            lookup_count=one.lookups,
            hit_count=one.hits,
            rated_count=int(one.ratings > 0),
            disliked_count=int(one.bad_ratings > 0),
        )
        if one.lookups:
            self.hit_ratios.append(one.hits / one.lookups)
        self.tokens += _log(one.tokens)
        self.times += _log(one.time_ms)

    def summary(self) -> ArmSummary:
        return ArmSummary(
            **self.tally,
            searched_count=len(self.hit_ratios),
            hit_ratio_sum=fsum(self.hit_ratios),
            log_tokens=_moments(self.tokens),
            log_latency=_moments(self.times),
        )


def _log(value: float | None) -> list[float]:
    return [log(value)] if value and value > 0 else []


def _moments(values: list[float]) -> Moments:
    # Exact sums: the same rows in another order make the same number.
    return Moments(
        count=len(values),
        total=fsum(values),
        squares=fsum(value**2 for value in values),
    )
