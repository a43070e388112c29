"""A rollout in any state, for people who want something of it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from flags.changes import Actor
from flags.conf import PERCENT, USE
from flags.models import Change, Decision, Rollout
from flags.plans import Plan
from flags.rollouts import Order
from flags.situation import State
from tests.chat import stored
from tests.chat.observed import NOON
from tests.flags import ramping

BOB = Actor("bob", Change.Channel.ADMIN)
WHY = Order(actor=ramping.ALICE, reason="Because.")
BOBS = Order(actor=BOB, reason="As we said.")
LATER = NOON + timedelta(minutes=10)
NEEDY = replace(
    ramping.SHORT,
    name="needy",
    phases=tuple(replace(p, needs_approval=True) for p in ramping.SHORT.phases),
)
_PERCENTS = {
    State.ARMED: 0,
    State.ROLLING_BACK: 0,
    State.ROLLED_BACK: 0,
    State.COMPLETED: 100,
}


def placed(state: State, plan: Plan = ramping.SHORT, **different: Any) -> Rollout:
    """Return a rollout that is in a state; exposed, it is in its first phase."""
    rollout = ramping.started(plan)
    percent = Decimal(_PERCENTS.get(state, 20))
    has_begun = state is not State.ARMED
    is_over = state in {State.ROLLED_BACK, State.COMPLETED}
    fields: dict[str, Any] = {
        "state": state,
        "percent": percent,
        "phase_index": 2 if state is State.COMPLETED else 0,
        "phase_since": NOON if has_begun else None,
        "counted_until": LATER,
        "ended_at": NOON if is_over else None,
    }
    Rollout.objects.filter(pk=rollout.pk).update(**fields | different)
    stored.put(**{USE.name: bool(percent), PERCENT.name: percent})
    rollout.refresh_from_db()
    return rollout


def ramped() -> Rollout:
    """Return one that was looked at a moment ago, in its first phase."""
    rollout = placed(State.RAMPING)
    now = timezone.now()
    Rollout.objects.update(
        phase_since=now,
        state_since=now,
        counted_until=now,
        ticked_at=now - timedelta(seconds=5),
    )
    rollout.refresh_from_db()
    return rollout


def last(rollout: Rollout) -> Decision:
    """Return the newest decision."""
    found = rollout.decisions.order_by("-number").first()
    assert found is not None
    return found
