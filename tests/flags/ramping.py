"""A rollout by a short plan, with people who talk while time passes."""

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chat.models import Conversation
from flags import evaluation, plans, rollouts
from flags.changes import Actor
from flags.conf import FLAG
from flags.models import Change, Decision, Flag, Rollout, RolloutPlan
from flags.plans import Phase, Plan
from flags.rollouts import Order
from tests.chat import stored
from tests.chat.observed import NOON, ended

TICK = timedelta(seconds=30)
_FIRST_ID = 1_000_000
# Of 3,000 salts the one that deals most evenly: any twelve of the first 240 newcomers
# or more are within 1.8 standard deviations of 10, 20 and 50 %.
_SALT = "even 2980"
ALICE = Actor("alice", Change.Channel.COMMAND)
MINUTE_S = 60
SHORT = replace(
    plans.GUIDE,
    name="short",
    phases=(
        Phase(percent=Decimal(20), dwell_s=5 * MINUTE_S, unit_count=3),
        Phase(percent=Decimal(50), dwell_s=5 * MINUTE_S, unit_count=5),
        Phase(percent=Decimal(100), dwell_s=5 * MINUTE_S, unit_count=5),
    ),
)


def planned(plan: Plan = SHORT) -> RolloutPlan:
    """Store a plan."""
    return RolloutPlan.objects.create(
        name=plan.name,
        version=plan.version,
        body=json.loads(plan.to_text()),
        created_by="alice",
    )


def started(plan: Plan = SHORT, *, now: datetime = NOON, **options: Any) -> Rollout:
    """Arm a rollout, without a drill; the same people get it each time."""
    Flag.objects.filter(name=FLAG).update(salt=_SALT)
    order = Order(actor=ALICE, reason="It is time.")
    return rollouts.start(
        planned(plan), order, now=now, **{"without_drill": True} | options
    )


class People:
    """Begin conversations, each of which says one thing.

    `failing` is the share of treatment turns that fail.
    """

    def __init__(self, *, a_minute: int = 12, failing: float = 0.0) -> None:
        self.failing = failing
        self._pace_s = MINUTE_S / max(a_minute, 1)
        self._dice = random.Random(20261126)
        self._next = NOON if a_minute else NOON + timedelta(days=1000)

    def talk(self, until: datetime) -> None:
        """Let them talk up to a moment."""
        while self._next < until:
            self._say(_newcomer(), self._next)
            self._next += timedelta(seconds=self._pace_s)

    def _say(self, of: Conversation, moment: datetime) -> None:
        found = evaluation.evaluate(FLAG, targeting_key=str(of.pk))
        is_failing = found.is_on and self._dice.random() < self.failing
        ended(
            of,
            moment,
            took_s=0.5,
            variant=found.variant.value,
            variant_reason=found.reason.value,
            strategy="history" if found.is_on else "stateless",
            status="failed" if is_failing else "complete",
            error_code="GEMINI_API_ERROR" if is_failing else "",
            duration_ms=self._dice.lognormvariate(6.2, 0.3),
        )


def _newcomer() -> Conversation:
    """Return one whose id, and so its bucket, is the same in every run."""
    return stored.conversation(id=_FIRST_ID + Conversation.objects.count())


def pass_time(
    people: People, *, minutes: float, since: datetime = NOON
) -> list[Decision]:
    """Let people talk and tick every 30 s; return what was decided."""
    made = []
    now = since
    while now < since + timedelta(minutes=minutes):
        now += TICK
        people.talk(now)
        if decision := rollouts.tick(now):
            made.append(decision)
    return made


def moves(decisions: list[Decision]) -> list[tuple[str, Decimal]]:
    """Return what changed something, with the percent it led to."""
    return [
        (each.action, each.percent_after) for each in decisions if each.action != "none"
    ]
