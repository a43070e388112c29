"""Gathers what a tick decides by: what was counted, seen, held and approved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import structlog
from django.db.models import Q, QuerySet

from flags import (
    acting,
    changes,
    endings,
    evaluation,
    judging,
    observations,
    plan_store,
    runtime,
    values,
    windows,
)
from flags.conf import FLAG, USE
from flags.evaluation import Variant
from flags.gates import learning
from flags.gates.knowledge import Knowledge, Sighting
from flags.judging import Arms, Evidence
from flags.models import Approval, Decision, Rollout, Window
from flags.observations import ArmSummary
from flags.plans import Plan
from flags.situation import Move, Situation, State
from flags.values import Value
from monitoring import health, slis

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Turns that were opened while the rollback was being committed are not counted.
_COMMIT = timedelta(seconds=5)
_MINUTE = timedelta(minutes=1)
_DATABASE = {"connected": "healthy", "disconnected": "unhealthy"}


@dataclass(frozen=True, slots=True)
class Found:
    """What there was to see at a tick.

    `inputs` is what a replay needs beside the windows; `evidence` is what the gates
    know now, for the rollout's row.
    """

    situation: Situation
    inputs: dict[str, Any]
    readings: list[dict[str, Any]]
    evidence: dict[str, Any]


def gather(rollout: Rollout, now: datetime) -> Found:
    """Look at everything that counts at this tick; changes nothing.

    Raises: InvalidValue for a plan that can't be read.
    """
    plan = plan_store.read_stored(rollout.plan)
    knowledge, learnt_until = known(rollout)
    rows = _new_windows(rollout, learnt_until)
    pairs = windows.paired(rows)
    knowledge = learning.of(pairs, plan, before=knowledge)
    bare = situate(rollout, plan, now)
    span = timedelta(seconds=plan.floors["floor_window_s"])
    is_due = judging.due_look(bare, knowledge) is not None
    seen = Evidence(
        sighting=sight(now),
        recent=seen_or_none(lambda: _arms(rollout, now - span, now)),
        phase=(
            seen_or_none(lambda: _arms(rollout, bare.phase_since or now, now))
            if is_due
            else None
        ),
    )
    bare = replace(bare, is_look_unread=is_due and seen.phase is None)
    judged = judging.judge(bare, knowledge, seen)
    until = pairs[-1].end if pairs else learnt_until
    return Found(
        situation=judged.situation,
        inputs={
            # A replay must leave out what was corrected after this.
            "learnt": [until, max(row.pk for row in rows)] if pairs else [],
            "seen": seen.as_json(),
            "situation": judging.situation_as_json(bare),
            # Drawn over time, where readings would be too much to keep each time.
            "evidence": judging.evidence(judged.situation.readings),
        },
        readings=[each.as_json() for each in judged.situation.readings],
        evidence={
            "knowledge": judged.knowledge.as_json(),
            "learnt_until": until and until.isoformat(),
        },
    )


def known(rollout: Rollout) -> tuple[Knowledge, datetime | None]:
    """Return what a rollout's gates know, and up to which moment."""
    until = rollout.evidence.get("learnt_until")
    return (
        Knowledge.from_json(rollout.evidence.get("knowledge") or {}),
        datetime.fromisoformat(until) if until else None,
    )


def sight(now: datetime) -> Sighting:
    """Return how the deployment itself is; what does not answer is not known."""
    report = seen_or_none(health.report)
    memory = seen_or_none(lambda: slis.read("memory_used_percent", _MINUTE))
    used = next(iter(memory or []), None)
    return Sighting(
        at=now,
        health=report["status"] if report else None,
        database=_DATABASE.get(report["services"]["database"]) if report else None,
        memory_percent=used.value if used else None,
    )


def seen_or_none(look: Callable[[], T]) -> T | None:
    """Look at something; None where that fails: other gates must speak all the same.

    What is not known holds.
    """
    try:
        return look()
    except Exception:
        log.exception("rollout.unseen")
        return None


def flag_percent() -> Decimal:
    """Return what the flag really gives; 0 while it is off."""
    state = evaluation.state(FLAG)
    return state.percent if state and state.is_on else Decimal(0)


def approvals(rollout: Rollout, now: datetime) -> QuerySet[Approval]:
    """Return those that are asked for or hold, the newest first.

    Who approved before this phase began, or before it was halved or lowered, did not
    know of that: it must be asked for again.
    """
    moments = [rollout.phase_since, rollout.halved_at]
    since = max((each for each in moments if each), default=None)
    valid = rollout.approvals.filter(expires_at__gt=now)
    if since:
        valid = valid.filter(Q(approved_at=None) | Q(approved_at__gt=since))
    return valid.order_by("-id")


def _new_windows(rollout: Rollout, since: datetime | None) -> Sequence[Window]:
    """Return the counted windows that nobody has learnt from yet.

    Corrections of those learnt before stay out: evidence is never taken back.
    """
    later = Q(begin__gte=since) if since else Q()
    return list(rollout.windows.filter(later).order_by("begin", "id"))


def situate(rollout: Rollout, plan: Plan, now: datetime) -> Situation:
    """Return what there is beside the gates' words."""
    current = runtime.current()
    bare = Situation(
        now=now,
        plan=plan,
        state=State(rollout.state),
        phase_index=rollout.phase_index,
        percent=rollout.percent,
        state_since=rollout.state_since,
        phase_since=rollout.phase_since,
        starts_at=rollout.starts_at,
        flag_percent=flag_percent(),
        holds=_holds(rollout, now),
        is_caught_up=_is_caught_up(rollout, plan, now),
        are_sessions_limited=_are_sessions_limited(rollout, current),
        limits_refusal=acting.limits_refusal(current),
        switched_off_by=_switched_off_by(rollout),
        halved_at=rollout.halved_at,
    )
    return replace(
        bare,
        is_approved=_is_approved(rollout, now),
        persistent_count=_persistent_count(rollout, bare),
    )


def _are_sessions_limited(rollout: Rollout, current: Mapping[str, Value]) -> bool:
    """Tell whether this rollout has limited them and they still are.

    Who has few sessions anyway has had no trouble with the memory yet.
    """
    if acting.fewer_sessions(current):
        return False
    return rollout.decisions.filter(action=Move.LIMIT_SESSIONS).exists()


def _holds(rollout: Rollout, now: datetime) -> tuple[str, ...]:
    lasting = Q(until=None) | Q(until__gt=now)
    held = rollout.holds.filter(lasting, released_at=None).order_by("id")
    return tuple(f"Held by {each.created_by}: {each.reason}" for each in held)


def _is_approved(rollout: Rollout, now: datetime) -> bool:
    """Tell whether somebody else has approved the phase that comes next."""
    is_first = rollout.state == State.ARMED
    following = rollout.phase_index + (0 if is_first else 1)
    given = approvals(rollout, now).exclude(approved_at=None)
    return given.filter(phase_index=following).exists()


def _is_caught_up(rollout: Rollout, plan: Plan, now: datetime) -> bool:
    late = timedelta(seconds=2 * plan.window_s) + windows.SETTLE
    if rollout.counted_until and rollout.counted_until - now > late:
        return False  # the clock was ahead: what happens now is not counted
    return now - (rollout.counted_until or rollout.starts_at) <= late


def _switched_off_by(rollout: Rollout) -> str:
    """Return who switched the flag off since a rollout that has not begun was started.

    A kill that could not be recorded with the rollout counts all the same.
    """
    last = None if rollout.phase_since else changes.latest(USE.name)
    if last is None or not last.old or last.pk <= rollout.after_change_id:
        return ""
    return last.actor if last.new == values.write(value=False) else ""


def _persistent_count(rollout: Rollout, situation: Situation) -> int | None:
    """Return the turns that were begun persistently since it was last taken back.

    A straggler that has led to an escalation does not count against it for ever.
    """
    if situation.state is not State.ROLLING_BACK:
        return None
    again = Decision.objects.filter(rollout=rollout, action=Move.ESCALATE)
    last = again.order_by("-number").values_list("at", flat=True).first()
    since = max(situation.state_since, last or situation.state_since) + _COMMIT
    if situation.now < since:
        return None
    found = seen_or_none(lambda: observations.source().persistent_since(since))
    is_soon = last is not None and situation.now - last < endings.VERIFY_WITHIN
    if found is None or (is_soon and not found[0]):
        return None
    return found[0]


def _arms(rollout: Rollout, begin: datetime, end: datetime) -> Arms:
    """Return both arms of those whom this rollout has let in, or left out."""
    source = observations.source()
    found = source.summary(begin, end, drawn_since=rollout.starts_at)
    nothing = ArmSummary()
    return found.get(Variant.ON, nothing), found.get(Variant.OFF, nothing)
