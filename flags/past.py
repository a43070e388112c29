"""A world for simulations that is the deployment's own past, as far as it is known."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from flags.errors import TooLittlePast
from flags.evidence.moments import Moments
from flags.observations import ArmCounts
from flags.plans import HOUR_S, Plan
from flags.simulation.world import HOURS, Hour, World

_DAY = timedelta(hours=HOURS)
_FEWEST = 200  # conversations without the feature


class Past(Protocol):
    """What became of conversations without the feature, whether drawn or not."""

    def untreated(
        self,
        begin: datetime,
        end: datetime,
        *,
        step_s: float,
        slow_ms: float,
        costly_tokens: float,
    ) -> Sequence[ArmCounts]:
        """Return what happened in each of the equal windows between two moments."""
        ...


_sources: list[Past] = []


def register(source: Past) -> None:
    """Say who knows; the last one counts."""
    _sources[:] = [source]


def world(plan: Plan, *, days: int, now: datetime) -> World:
    """Return a world whose days are the last whole days (UTC), hour by hour.

    Of conversations without the feature, which is all of them before a rollout. What
    the feature will do can't be known from them: that stays as assumed.

    Raises: TooLittlePast where a simulation would be made up.
    """
    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    past = [day for day in _days(plan, end - days * _DAY, end) if _total(day)]
    usual = [hour for day in past for hour in day]
    count = sum(each.conversation_count for each in usual)
    if count < _FEWEST:
        raise TooLittlePast(
            f"The last {days} whole days had {count:,} conversations without the "
            f"feature, and {_FEWEST} are needed to simulate by them. Give more days "
            f"(--past), or the traffic you expect (--per-hour)."
        )
    latency = _moments(usual, "latency")
    tokens = _moments(usual, "tokens")
    bare = World(days=tuple(_pattern(day) for day in past))
    return World(
        days=bare.days,
        latency_ms=_typical(latency, bare.latency_ms),
        latency_spread=_spread(latency, bare.latency_spread),
        tokens=_typical(tokens, bare.tokens),
        tokens_spread=_spread(tokens, bare.tokens_spread),
        turns=max(2, round(sum(each.turn_count for each in usual) / count)),
        rated_ratio=sum(each.rated_count for each in usual) / count,
        disliked_ratio=_ratio(
            sum(each.disliked_count for each in usual),
            sum(each.rated_count for each in usual),
        ),
    )


def _days(plan: Plan, begin: datetime, end: datetime) -> Iterator[Sequence[ArmCounts]]:
    """Yield each day's hours; one day at a time, as their turns are held in memory."""
    while begin < end:
        yield _sources[-1].untreated(
            begin,
            begin + _DAY,
            step_s=HOUR_S,
            slow_ms=plan.slow_ms,
            costly_tokens=plan.costly_tokens,
        )
        begin += _DAY


def _total(day: Sequence[ArmCounts]) -> int:
    return sum(hour.conversation_count for hour in day)


def _pattern(day: Sequence[ArmCounts]) -> tuple[Hour, ...]:
    """Where an hour was too quiet for a share of its own, the day's stands in."""
    errors = _ratio(sum(each.error_count for each in day), _at_risk(day, "error"))
    blanks = _ratio(sum(each.blank_count for each in day), _at_risk(day, "blank"))
    return tuple(
        Hour(
            per_hour=hour.conversation_count,
            error_ratio=_own(hour, "error", errors),
            blank_ratio=_own(hour, "blank", blanks),
        )
        for hour in day
    )


def _own(arm: ArmCounts, event: str, otherwise: float) -> float:
    at_risk = _at_risk([arm], event)
    if at_risk < _FEWEST:
        return otherwise
    return _ratio(getattr(arm, f"{event}_count"), at_risk)


def _at_risk(arms: Sequence[ArmCounts], event: str) -> int:
    past = f"{event}_past_count"
    return sum(arm.conversation_count - getattr(arm, past) for arm in arms)


def _moments(arms: Sequence[ArmCounts], name: str) -> Moments:
    return Moments(
        count=sum(arm.log_count for arm in arms),
        total=math.fsum(getattr(arm, f"log_{name}_sum") for arm in arms),
        squares=math.fsum(getattr(arm, f"log_{name}_squares") for arm in arms),
    )


def _typical(found: Moments, otherwise: float) -> float:
    return otherwise if found.mean is None else math.exp(found.mean)


def _spread(found: Moments, otherwise: float) -> float:
    return otherwise if found.variance is None else math.sqrt(found.variance)


def _ratio(count: int, of: int) -> float:
    return min(1.0, count / of) if of > 0 else 0.0
