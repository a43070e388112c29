"""Tells people what became of a rollout: alerts for harm, a message for progress."""

from collections.abc import Mapping
from datetime import timedelta

import structlog
from django.db import transaction

from flags.models import Change, Decision, Rollout
from flags.situation import Move, Situation, State
from monitoring import notify

log = structlog.get_logger(__name__)

ALERT = "rollout"
UNREAD = "rollout-plan-unreadable"
STANDING = "rollout-standing-still"
# Most of what holds a rollout is over before: an outage, a check that was late.
STANDS_AFTER = timedelta(minutes=30)
_RUNBOOK = "docs/RUNBOOK.md#"
# Somebody has to look; a rollback opens an incident, since it is critical.
_ALARMING: Mapping[str, str] = {
    Move.ROLL_BACK: "critical",
    Move.ESCALATE: "critical",
    Move.HALVE: "warning",
    Move.PAUSE: "warning",
    Move.LIMIT_SESSIONS: "warning",
}
# What a person does against harm is no alarm for others, but its end by a rollback is.
_ALARMING_BY_PERSON = {Move.ROLL_BACK}
_PROGRESS = {
    *(Move.BEGIN, Move.ADVANCE, Move.COMPLETE, Move.CONFIRM),
    *(Move.HOLD, Move.GO_ON),
}
# Whoever lets it go on has seen what was wrong.
_OVER = {Move.RESUME, Move.ADVANCE, Move.COMPLETE}


def plan_is_unread(rollout: Rollout, why: str) -> None:
    """Alarm: no gate can be asked. Trouble with that stops nobody."""
    try:
        notify.raise_alert(
            UNREAD,
            severity="critical",
            summary=(
                f"Rollout {rollout.pk} stands still, and no gate protects it: {why} "
                f"Install the release that can, roll it back, or use the kill switch."
            ),
            label=f"rollout {rollout.pk}",
            runbook=f"{_RUNBOOK}alert-{UNREAD}",
        )
    except Exception:
        log.exception("rollout.untold", rollout=rollout.pk)


def plan_is_read(rollout: Rollout) -> None:
    """End that alarm, if there is one; trouble with that stops nobody."""
    try:
        notify.resolve_alert(UNREAD, label=f"rollout {rollout.pk}")
    except Exception:
        log.exception("rollout.untold", rollout=rollout.pk)


def tell_of_standing(decision: Decision, now: Situation) -> None:
    """Alarm while it stands still and no person wants that; trouble stops nobody.

    The alarm ends with the next decision that changes something (`tell`).
    """
    if decision.action != Move.NONE or not _is_waiting(now):
        return
    place = f"rollout {decision.rollout_id}"
    try:
        notify.raise_alert(
            STANDING,
            severity="warning",
            summary=f"Rollout {decision.rollout_id} stands still: {decision.sentence}",
            label=place,
            runbook=f"{_RUNBOOK}alert-{STANDING}",
        )
    except Exception:
        log.exception("rollout.untold", rollout=decision.rollout_id)


def _is_waiting(now: Situation) -> bool:
    """Tell whether it is held for long, or is over the time that its plan gives it."""
    if now.holds or now.phase_since is None:
        return False
    if now.state is State.HELD and now.now - now.state_since >= STANDS_AFTER:
        return True
    phase = now.plan.phases[now.phase_index]
    longest = timedelta(seconds=phase.dwell_s + now.plan.max_extension_s)
    is_climbing = now.state in {State.RAMPING, State.HELD}
    return is_climbing and now.now - now.phase_since >= longest


def tell(decision: Decision) -> bool:
    """Tell of a decision that changed something, in the transaction that is open.

    What is told are rows, which others send once they are committed. False: it could
    not be told, and nothing of it is left; trouble with that stops nobody.
    """
    try:
        with transaction.atomic():
            _tell(decision)
    except Exception:
        log.exception("rollout.untold", rollout=decision.rollout_id)
        return False
    return True


def _tell(decision: Decision) -> None:
    place = f"rollout {decision.rollout_id}"
    notify.resolve_alert(STANDING, label=place)
    if decision.action in _OVER:
        notify.resolve_alert(ALERT, label=place)
    if decision.action == Move.CONFIRM:
        notify.resolve_alert(UNREAD, label=place)
    is_by_person = decision.channel != Change.Channel.AUTOMATION
    is_quiet = is_by_person and decision.action not in _ALARMING_BY_PERSON
    severity = None if is_quiet else _ALARMING.get(decision.action)
    if severity:
        notify.raise_alert(
            ALERT,
            severity=severity,
            summary=f"Rollout {decision.rollout_id}: {decision.sentence}",
            label=place,
            runbook=f"{_RUNBOOK}rollouts",
        )
    elif decision.action in _PROGRESS or is_by_person:
        notify.broadcast(
            f"[INFO] Oracle Chat AI {place}: {decision.action.replace('_', ' ')}",
            decision.sentence,
            severity="info",
            payload={
                "rollout": decision.rollout_id,
                "decision": decision.number,
                "action": decision.action,
                "percent": float(decision.percent_after),
            },
        )
