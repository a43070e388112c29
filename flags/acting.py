"""Carries out what was decided: row, flag and record change together, or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

from flags import changes, decisions, runtime
from flags.changes import Actor
from flags.conf import PERCENT, USE
from flags.decisions import Grounds
from flags.errors import NothingToChange
from flags.models import Decision, Rollout
from flags.situation import Move, Outcome, State
from flags.values import Value

log = structlog.get_logger(__name__)

# The earlier edition's answer to too little memory.
FEWER_SESSIONS = {"MAX_PERSISTENT_SESSIONS": 250, "PERSISTENT_SESSION_TIMEOUT": 1800}
_WIDTHS = {Move.ADVANCE, Move.COMPLETE, Move.HALVE, Move.RESUME}
_OFF = {Move.ROLL_BACK, Move.ESCALATE}
# What leaves the flag at the outcome's percent, whatever it gave before.
SETS_PERCENT = frozenset({Move.BEGIN, *_WIDTHS, *_OFF})
_NEW_PHASE = {Move.BEGIN, Move.ADVANCE, Move.HALVE}
_ENDED = {State.ROLLED_BACK, State.COMPLETED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What a tick adds to the rollout's row beside its outcome.

    `ticked_at` is when it was last looked at with open eyes.
    """

    evidence: dict[str, Any]
    ticked_at: datetime | None


def carry_out(  # noqa: PLR0913 - who, what, when and why
    rollout: Rollout,
    outcome: Outcome,
    *,
    at: datetime,
    grounds: Grounds,
    learnt: Learnt | None = None,
    along: Callable[[], object] | None = None,
) -> Decision | None:
    """Change row and flag as decided; None when somebody else was first.

    `rollout` is the row that the decision was made by; `along` is done together with
    it. Raises: FlagsError.
    """
    with transaction.atomic():
        as_seen = Rollout.objects.select_for_update().filter(
            pk=rollout.pk, version=rollout.version
        )
        before = as_seen.first()
        if before is None:
            return None
        _change_flag(outcome, grounds)
        if along:
            along()
        decision = decisions.append(before, outcome, at=at, grounds=grounds)
        fields = _fields(before, outcome, at, learnt)
        if outcome.is_measure:
            fields["halved_at"] = at
        as_seen.update(version=F("version") + 1, **fields)
    runtime.forget()
    return decision


def _fields(
    before: Rollout, outcome: Outcome, at: datetime, learnt: Learnt | None
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "state": outcome.state,
        "phase_index": outcome.phase_index,
        "percent": outcome.percent,
    }
    if before.state != outcome.state:
        found["state_since"] = at
    is_lowered = outcome.percent < before.percent  # by hand, in a pause
    if outcome.move in _NEW_PHASE or (outcome.move is Move.RESUME and is_lowered):
        found["phase_since"] = at
    if (before.state in _ENDED) != (outcome.state in _ENDED):
        found["ended_at"] = at if outcome.state in _ENDED else None
    if learnt:
        found |= {"evidence": learnt.evidence, "ticked_at": learnt.ticked_at}
    return found


def _change_flag(outcome: Outcome, grounds: Grounds) -> None:
    actor, reason = grounds.actor, grounds.reason or outcome.sentence
    if outcome.move is Move.BEGIN:
        _apply({USE.name: True, PERCENT.name: outcome.percent}, actor, reason)
    elif outcome.move is Move.LIMIT_SESSIONS:
        _apply(fewer_sessions(runtime.current()), actor, reason)
    elif outcome.move in _WIDTHS:
        _apply({PERCENT.name: outcome.percent}, actor, reason)
    elif outcome.move in _OFF:
        changes.kill(actor=actor, reason=reason)
        _set_to_nothing(actor, reason)


def _set_to_nothing(actor: Actor, reason: str) -> None:
    """Bring the percent to 0 as well, but never let that undo the kill."""
    try:
        with transaction.atomic():
            _apply({PERCENT.name: 0}, actor, reason)
    except Exception:
        log.exception("rollout.percent_kept")


def limits_refusal(current: Mapping[str, Value]) -> str:
    """Say why the settings' rules refuse fewer sessions; empty: they don't."""
    limited = {**current, **fewer_sessions(current)}
    new = set(runtime.broken_rules(limited)) - set(runtime.broken_rules(current))
    return " ".join(sorted(new))


def fewer_sessions(current: Mapping[str, Value]) -> dict[str, int]:
    """Return the limits that are below what holds."""
    return {
        name: limit
        for name, limit in FEWER_SESSIONS.items()
        if int(current[name]) > limit
    }


def _apply(wanted: Mapping[str, object], actor: Actor, reason: str) -> None:
    if not wanted:
        return
    try:
        changes.apply(wanted, actor=actor, reason=reason, is_by_rollout=True)
    except NothingToChange:
        log.info("rollout.was_so_already", wanted=sorted(wanted))
