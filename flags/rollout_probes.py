"""What monitoring hears of a rollout: whether it ticks, where it is, its evidence."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from flags import gathering, rollouts
from flags.models import Decision, Rollout
from flags.plans import Action
from flags.situation import Move
from monitoring import registry
from monitoring.registry import Event, Levels, Metric, Reading

MOST = 1000


def register() -> None:
    """Offer all of it."""
    registry.register_chronicle("rollouts", decided)
    registry.register_metric(
        Metric(
            name="rollout_tick_age_s",
            unit="s",
            help="Since somebody last looked at the rollout that is under way.",
            read=_tick_age,
        )
    )
    registry.register_levels(
        Levels(
            name="oracle_rollout_phase",
            help="The rollout's phase, from 1; 0 before the first.",
            read=_phase,
        )
    )
    registry.register_levels(
        Levels(
            name="oracle_rollout_evidence_ratio",
            help="Evidence of harm, by gate, as a share of what proves it.",
            label="gate",
            read=_evidence,
        )
    )


def decided(begin: datetime, end: datetime) -> Iterator[Event]:
    """Tell what was decided and changed something."""
    made = Decision.objects.filter(at__gte=begin, at__lt=end).exclude(action=Move.NONE)
    for each in made.order_by("-id")[:MOST]:
        yield Event(
            at=each.at,
            kind="rollout",
            text=f"Rollout {each.rollout_id}: {each.sentence}",
            actor=each.actor,
        )


def tick_age_s(rollout: Rollout, now: datetime) -> float:
    """Return how long nobody has looked at it; from its start if nobody ever has."""
    looked = rollout.ticked_at or max(rollout.created_at, rollout.starts_at)
    return max(0.0, (now - looked).total_seconds())


def _tick_age(window: timedelta) -> list[Reading]:
    del window
    now = timezone.now()
    rollout = rollouts.watched(now)
    if rollout is None:
        return [Reading(None)]
    return [Reading(tick_age_s(rollout, now), 1)]


def _phase() -> Mapping[str, float]:
    rollout = rollouts.watched()
    if rollout is None:
        return {}
    return {"": 0 if rollout.phase_since is None else rollout.phase_index + 1}


def _evidence() -> Mapping[str, float]:
    """Return the evidence that each gate is judged by, times its alpha.

    Who rolls back is judged by the most there ever was.
    """
    rollout = rollouts.watched()
    if rollout is None:
        return {}
    if rollouts.plan_fault(rollout):
        return {}
    knowledge, _ = gathering.known(rollout)
    return {
        gate.key: gate.alpha
        * (state.peak if gate.action is Action.ROLL_BACK else state.evidence)
        for gate in rollouts.plan_of(rollout).harms
        if (state := knowledge.harms.get(gate.key))
    }
