"""Rollouts: started once, then moved by what their ticks find."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from flags import (
    acting,
    changes,
    controller,
    endings,
    gathering,
    plan_store,
    plans,
    telling,
    windows,
)
from flags.acting import Learnt
from flags.changes import Actor
from flags.conf import FLAG
from flags.decisions import Grounds
from flags.errors import (
    DrillMissing,
    InvalidValue,
    ReasonMissing,
    RolloutRefused,
    UnknownRollout,
)
from flags.models import Change, Decision, Drill, Rollout, RolloutPlan
from flags.plans import Plan
from flags.situation import Move

AUTOMATION = Actor("rollout", Change.Channel.AUTOMATION)
DRILL_AGE = timedelta(days=7)
WATCHED_AFTERWARDS = timedelta(days=7)
_JUST_NOW = timedelta(minutes=1)
_SAME = timedelta(seconds=0.5)
_GAP = timedelta(minutes=2)
_CORRECT_EVERY = timedelta(minutes=5)
_ONE_ALREADY = (
    "A rollout is under way already: see `manage.py rollout status`, and end it before "
    "another one begins."
)


def watched(now: datetime | None = None) -> Rollout | None:
    """Return the newest rollout, if it still has to be watched at a moment.

    Without one: unless it was rolled back. See `is_watched`.
    """
    newest = Rollout.objects.filter(flag=FLAG).select_related("plan").order_by("-id")
    rollout = newest.first()
    return rollout if rollout and is_watched(rollout, now) else None


def is_watched(rollout: Rollout, now: datetime | None) -> bool:
    """Tell whether ticks still look at it.

    A complete one is looked at for another week, since everybody is exposed; then it is
    like any other part of the service, and its log must not grow for ever.
    """
    if rollout.state == Rollout.State.ROLLED_BACK:
        return False
    is_complete = rollout.state == Rollout.State.COMPLETED
    if now is None or not is_complete or rollout.ended_at is None:
        return True
    return now - rollout.ended_at < WATCHED_AFTERWARDS


def find(rollout_id: int) -> Rollout:
    """Return a rollout. Raises: UnknownRollout."""
    found = Rollout.objects.select_related("plan").filter(pk=rollout_id).first()
    if found is None:
        known = Rollout.objects.order_by("-id").values_list("pk", flat=True)[:5]
        there = ", ".join(map(str, known)) or "none yet"
        raise UnknownRollout(f"There is no rollout {rollout_id}; there are: {there}.")
    return found


def plan_of(rollout: Rollout) -> Plan:
    """Return the plan that a rollout follows. Raises: InvalidValue (`plan_fault`)."""
    return plan_store.read_stored(rollout.plan)


def plan_fault(rollout: Rollout) -> str:
    """Say why its plan can't be read, being a newer release's, say; empty: it can."""
    try:
        plan_of(rollout)
    except InvalidValue as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A person's wish, and why."""

    actor: Actor
    reason: str


def start(
    plan: RolloutPlan,
    order: Order,
    *,
    now: datetime,
    starts_at: datetime | None = None,
    without_drill: bool = False,
) -> Rollout:
    """Arm a rollout; its first tick at or after `starts_at` exposes the first.

    Raises: ReasonMissing, RolloutRefused, DrillMissing, InvalidValue.
    """
    starts_at = starts_at or now
    require_start(
        plan, order, now=now, starts_at=starts_at, without_drill=without_drill
    )
    try:
        with transaction.atomic():
            return Rollout.objects.create(
                flag=FLAG,
                plan=plan,
                started_by=changes.storable(order.actor.name)[
                    : changes.MAX_ACTOR_CHARS
                ],
                reason=changes.storable(order.reason).strip(),
                created_at=now,
                state_since=now,
                starts_at=starts_at,
            )
    except IntegrityError as error:
        raise RolloutRefused(_ONE_ALREADY) from error


def require_start(
    plan: RolloutPlan,
    order: Order,
    *,
    now: datetime,
    starts_at: datetime,
    without_drill: bool,
) -> None:
    """Say whether it may be started; changes nothing.

    Raises: ReasonMissing, RolloutRefused, DrillMissing, InvalidValue.
    """
    if not order.reason.strip():
        raise ReasonMissing("Say why: the reason is kept with the rollout.")
    body = plan_store.read_stored(plan)
    if wrong := plan_store.faults(body):
        raise RolloutRefused(f"The plan {plan} can't be followed. {' '.join(wrong)}")
    if Rollout.objects.filter(flag=FLAG, ended_at=None).exists():
        raise RolloutRefused(_ONE_ALREADY)
    _require_nobody_exposed()
    _require_to_come(starts_at, now)
    if not without_drill:
        _require_drill(now)


def tick(now: datetime) -> Decision | None:
    """Look at the rollout once; return what was decided, None where there is none.

    Safe to run anywhere at any time: of two at once one decides. Who can't count the
    windows has not really looked, so the alarm about that comes in the end; what is
    known already protects all the same.
    """
    rollout = watched(now)
    if rollout is None or _has_ticked(rollout, now):
        return None
    if why := plan_fault(rollout):
        return _end_unread(rollout, now, why)
    if rollout.ticked_at is None or now - rollout.ticked_at > _GAP:
        telling.plan_is_read(rollout)
    counted = gathering.seen_or_none(lambda: windows.ingest(rollout, now))
    if _is_time_to_correct(rollout, now):
        gathering.seen_or_none(lambda: windows.correct(rollout, now))
    found = gathering.gather(rollout, now)
    outcome = controller.decide(found.situation)
    decision = acting.carry_out(
        rollout,
        outcome,
        at=now,
        grounds=Grounds(actor=AUTOMATION, inputs=found.inputs, readings=found.readings),
        learnt=Learnt(
            evidence=found.evidence,
            ticked_at=now if counted is not None else rollout.ticked_at,
        ),
    )
    if decision is not None:
        telling.tell_of_standing(decision, found.situation)
    return decision


def _end_unread(rollout: Rollout, now: datetime, why: str) -> Decision | None:
    """End what somebody switched off, although its gates can't be asked.

    Nothing else moves, and it counts as not looked at: that alarms as well.
    """
    telling.plan_is_unread(rollout, why)
    # What ends a rollout asks nothing of its plan; any will do.
    situation = gathering.situate(rollout, plans.GUIDE, now)
    outcome = endings.ending(situation)
    if outcome is None or outcome.move is Move.NONE:
        return None
    grounds = Grounds(actor=AUTOMATION, inputs={"plan_unread": why})
    return acting.carry_out(rollout, outcome, at=now, grounds=grounds)


def _has_ticked(rollout: Rollout, now: datetime) -> bool:
    """Tell whether somebody else makes this very tick; a clock may be set back."""
    last = rollout.ticked_at
    return last is not None and abs(now - last) < _SAME


def _is_time_to_correct(rollout: Rollout, now: datetime) -> bool:
    last = rollout.ticked_at
    return last is None or _period(now) != _period(last)


def _period(moment: datetime) -> float:
    return moment.timestamp() // _CORRECT_EVERY.total_seconds()


def newest_drill() -> Drill | None:
    """Return the newest drill that shows that harm is taken back: one of errors.

    What other faults show is that nothing is widened.
    """
    green = Drill.objects.filter(is_green=True, fault__startswith="errors=")
    return green.exclude(ended_at=None).order_by("-ended_at").first()


def _require_drill(now: datetime) -> None:
    """Raises: DrillMissing."""
    drill = newest_drill()
    if drill is None or drill.ended_at is None or drill.ended_at < now - DRILL_AGE:
        raise DrillMissing(
            f"No drill of errors has ended well in the last {DRILL_AGE.days} days. Run "
            f"`manage.py rollout drill`, or start without one (--without-drill) and "
            f"say why."
        )


def _require_to_come(starts_at: datetime, now: datetime) -> None:
    """Raises: InvalidValue; all windows since then would have to be counted."""
    if starts_at < now - _JUST_NOW:
        raise InvalidValue(
            f"{starts_at:%Y-%m-%d %H:%M} UTC is over: it is {now:%Y-%m-%d %H:%M} UTC. "
            f"Give a moment to come, or none to start at once."
        )


def _require_nobody_exposed() -> None:
    """Raises: RolloutRefused."""
    if given := gathering.flag_percent():
        raise RolloutRefused(
            f"The flag already gives {given} % of conversations the feature. Set it to "
            f"0 first: a rollout compares those it lets in itself."
        )
