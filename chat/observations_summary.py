"""The arms of a whole phase: one value for each conversation, added up."""

from datetime import datetime
from math import log
from typing import Any

from django.db.models import Avg, Count, Exists, OuterRef, QuerySet

from chat import observations_turns
from chat.models import VariantChange
from flags.observations import ArmSummary, Moments


def arms(begin: datetime, end: datetime) -> dict[str, ArmSummary]:
    """Return both arms, by variant; no more than a row for each conversation."""
    arms = {variant: _Arm() for variant in observations_turns.ARMS}
    for variant, *row in _by_conversation(begin, end).iterator():
        arms[variant].add(*row)
    return {variant: arm.summary() for variant, arm in arms.items()}


def _by_conversation(begin: datetime, end: datetime) -> "QuerySet[Any, Any]":
    """Return a row for each conversation that has had no other variant until then."""
    changes = VariantChange.objects.filter(
        conversation=OuterRef("conversation"), created_at__lt=end
    )
    return (
        observations_turns.ended(begin, end)
        .filter(~Exists(changes))
        .values("conversation_id", "variant")
        .annotate(
            errors=Count("id", filter=observations_turns.IS_ERROR),
            lookups=Count("id", filter=observations_turns.IS_LOOKUP),
            hits=Count("id", filter=observations_turns.IS_HIT),
            tokens=Avg(observations_turns.BILLED, filter=observations_turns.IS_GOOD),
            time_ms=Avg("duration_ms", filter=observations_turns.IS_GOOD),
        )
        .values_list("variant", "errors", "lookups", "hits", "tokens", "time_ms")
    )


class _Arm:
    """The conversations of an arm, added up one after the other."""

    def __init__(self) -> None:
        self.count = self.failed = self.lookups = self.hits = 0
        self.tokens, self.times = _Spread(), _Spread()

    def add(
        self,
        errors: int,
        lookups: int,
        hits: int,
        tokens: float | None,
        time_ms: float | None,
    ) -> None:
        self.count += 1
        self.failed += errors > 0
        self.lookups += lookups
        self.hits += hits
        self.tokens.add(tokens)
        self.times.add(time_ms)

    def summary(self) -> ArmSummary:
        return ArmSummary(
            conversation_count=self.count,
            failed_count=self.failed,
            lookup_count=self.lookups,
            hit_count=self.hits,
            rated_count=0,
            disliked_count=0,
            log_tokens=self.tokens.moments(),
            log_latency=self.times.moments(),
        )


class _Spread:
    """Moments of logarithms, by Welford's recurrence; no data leaves it as it was."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, value: float | None) -> None:
        if not value or value < 0:
            return
        distance = log(value) - self.mean
        self.count += 1
        self.mean += distance / self.count
        self.squares += distance * (log(value) - self.mean)

    def moments(self) -> Moments:
        return Moments(self.count, self.mean, self.squares)
