"""Situations of a rollout, as its controller sees them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from flags import plans
from flags.plans import Action
from flags.readings import Kind, Reading, Verdict
from flags.situation import Situation, State

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PERCENTS = {
    State.ARMED: Decimal(0),
    State.ROLLING_BACK: Decimal(0),
    State.ROLLED_BACK: Decimal(0),
    State.COMPLETED: Decimal(100),
}


def situation(state: State = State.RAMPING, **different: Any) -> Situation:
    """Return a rollout in its second phase, at 10 %, with nothing to say against it."""
    percent = PERCENTS.get(state, Decimal(10))
    plain = Situation(
        now=NOW,
        plan=plans.GUIDE,
        state=state,
        phase_index=1,
        percent=percent,
        state_since=NOW - timedelta(hours=3),
        phase_since=NOW - timedelta(hours=3),
        starts_at=NOW - timedelta(days=2),
        flag_percent=percent,
    )
    return replace(plain, **different)


def done(**different: Any) -> Situation:
    """Return one that has all that its phase needs."""
    plain = situation(
        phase_since=NOW - timedelta(hours=48),
        unit_count=1400,
        readings=passed(1),
    )
    return replace(plain, **different)


def passed(phase_index: int) -> list[Reading]:
    """Return good readings of every success gate of a phase."""
    return [
        reading(each.key, Kind.SUCCESS, Verdict.PASS, is_required=each.is_required)
        for each in plans.GUIDE.phases[phase_index].success
    ]


def reading(key: str, kind: Kind, verdict: Verdict, **different: Any) -> Reading:
    """Return a gate's word."""
    return Reading(
        key=key, kind=kind, verdict=verdict, sentence=f"{key} says so.", **different
    )


def firing(action: Action, kind: Kind = Kind.HARM) -> Reading:
    """Return a gate that asks for an action."""
    return reading("errors", kind, Verdict.FAIL, action=action)
