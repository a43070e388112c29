"""Rollouts under way at this very moment, and the addresses of their pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flags.models import Decision, Rollout
from flags.plans import Plan
from tests.flags import ramping
from tests.flags.ramping import People

DAY = timedelta(days=1)
ROLLOUTS = "/admin/flags/rollout/"
NEWEST = f"{ROLLOUTS}newest/"
START = f"{ROLLOUTS}start/"
PLANS = f"{ROLLOUTS}plans/"
APPROVED = replace(
    ramping.SHORT,
    phases=(
        ramping.SHORT.phases[0],
        replace(ramping.SHORT.phases[1], needs_approval=True),
        ramping.SHORT.phases[2],
    ),
)


def attempt(rollout: Rollout) -> str:
    """Return the address of an attempt's page."""
    return f"{ROLLOUTS}{rollout.pk}/"


def order(rollout: Rollout, verb: str) -> str:
    """Return the address of a verb's page."""
    return f"{attempt(rollout)}order/{verb}/"


def running(
    *, minutes: float = 3, plan: Plan = ramping.SHORT, **people: Any
) -> tuple[Rollout, list[Decision]]:
    """Return a rollout that was started some minutes ago, and what its ticks decided.

    `minutes` ago to now; people talk meanwhile as `People` says.
    """
    since = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(
        minutes=minutes
    )
    rollout = ramping.started(plan, now=since)
    talking = People(**{"a_minute": 60} | people)
    talking._next = since
    made = ramping.pass_time(talking, minutes=minutes, since=since)
    rollout.refresh_from_db()
    return rollout, made
