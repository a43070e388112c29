"""Holds, which keep a rollout where it is, and the word of a second person."""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q, QuerySet

from flags import gathering
from flags.errors import InvalidValue, RolloutRefused
from flags.intents.scene import UNDER_WAY, Intent, Scene, require, so_already
from flags.models import Approval, Hold
from flags.situation import Move, State

APPROVED_FOR = timedelta(days=3)


def hold(scene: Scene, *, until: datetime | None = None) -> Intent:
    """Stay at this percent until somebody lets go, or until a moment."""
    require(scene, "hold", UNDER_WAY)
    if until is not None and until <= scene.now:
        raise InvalidValue(
            f"A hold until {until:%Y-%m-%d %H:%M} UTC would be over: it is "
            f"{scene.now:%Y-%m-%d %H:%M} UTC."
        )
    end = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
    outcome = scene.outcome(
        Move.HOLD,
        f"{scene.by} holds it{end}: {scene.reason}",
        state=State.HELD if scene.state is State.RAMPING else scene.state,
    )
    same = _holds(scene).filter(created_by=scene.by, reason=scene.reason, until=until)
    if found := same.first():
        return so_already(scene, f"Hold {found.pk} says so already.")
    new = Hold(
        rollout=scene.rollout,
        reason=scene.reason,
        created_by=scene.by,
        created_at=scene.now,
        until=until,
    )
    return Intent(outcome=outcome, along=new.save)


def release(scene: Scene, *, hold_id: int | None = None) -> Intent:
    """Let go of a hold, or of all of them; the next tick goes on if nothing else is."""
    every = scene.rollout.holds.order_by("id")
    if hold_id is not None and not every.filter(pk=hold_id).exists():
        known = ", ".join(str(each.pk) for each in every) or "none"
        raise InvalidValue(f"There is no hold {hold_id} here; there are: {known}.")
    held = _holds(scene)
    if hold_id is not None:
        held = held.filter(pk=hold_id)
    found = list(held)
    names = ", ".join(f"hold {each.pk} ({each.reason})" for each in found)
    outcome = scene.outcome(
        Move.RELEASE, f"{scene.by} released {names}: {scene.reason}"
    )
    if not found:
        what = "No person holds it" if hold_id is None else f"Hold {hold_id} is over"
        return so_already(scene, f"{what}.")
    require(scene, "release", UNDER_WAY)
    let_go = partial(
        scene.rollout.holds.filter(pk__in=[each.pk for each in found]).update,
        released_by=scene.by,
        released_at=scene.now,
    )
    return Intent(outcome=outcome, along=let_go)


def request_approval(scene: Scene) -> Intent:
    """Ask a second person for the phase that comes next."""
    require(scene, "approve", UNDER_WAY)
    index = _following(scene)
    outcome = scene.outcome(
        Move.REQUEST_APPROVAL,
        f"{scene.by} asks for the approval of phase {index + 1}: {scene.reason}",
    )
    valid = _approvals(scene, index)
    if valid.exclude(approved_at=None).exists():
        words = f"Phase {index + 1} is approved already."
        return so_already(scene, words)
    if found := valid.filter(requested_by=scene.by).first():
        words = f"{found.requested_by} has asked already: a second person must approve."
        return so_already(scene, words)
    new = Approval(
        rollout=scene.rollout,
        phase_index=index,
        requested_by=scene.by,
        requested_at=scene.now,
        expires_at=scene.now + APPROVED_FOR,
    )
    return Intent(outcome=outcome, along=new.save)


def approve(scene: Scene) -> Intent:
    """Let the phase that comes next begin, as the second person."""
    require(scene, "approve", UNDER_WAY)
    index = _following(scene)
    outcome = scene.outcome(
        Move.APPROVE,
        f"{scene.by} approves phase {index + 1}. {scene.reason}".strip(),
    )
    valid = _approvals(scene, index)
    if found := valid.exclude(approved_at=None).first():
        words = f"{found.approved_by} has approved phase {index + 1} already."
        return so_already(scene, words)
    asked = valid.exclude(requested_by=scene.by).first()
    if asked is None:
        raise RolloutRefused(_why_nobody(valid, index))
    grant = partial(
        scene.rollout.approvals.filter(pk=asked.pk, approved_at=None).update,
        approved_by=scene.by,
        approved_at=scene.now,
        expires_at=scene.now + APPROVED_FOR,
    )
    return Intent(outcome=outcome, along=grant)


def _why_nobody(valid: "QuerySet[Approval]", index: int) -> str:
    if valid.exists():
        return (
            f"You asked for the approval of phase {index + 1} yourself: a second "
            f"person must give it."
        )
    return (
        f"Nobody has asked for the approval of phase {index + 1}: ask first "
        f"(`manage.py rollout approve --request`), then a second person approves."
    )


def _following(scene: Scene) -> int:
    """Return the phase that comes next. Raises: RolloutRefused: it needs no word."""
    has_begun = scene.rollout.phase_since is not None
    index = scene.rollout.phase_index + (1 if has_begun else 0)
    phases = scene.plan.phases
    if index >= len(phases):
        raise RolloutRefused("There is no further phase to approve.")
    if not phases[index].needs_approval:
        raise RolloutRefused(f"Phase {index + 1} needs nobody's approval.")
    return index


def _holds(scene: Scene) -> "QuerySet[Hold]":
    lasting = Q(until=None) | Q(until__gt=scene.now)
    return scene.rollout.holds.filter(lasting, released_at=None).order_by("id")


def _approvals(scene: Scene, index: int) -> "QuerySet[Approval]":
    return gathering.approvals(scene.rollout, scene.now).filter(phase_index=index)
