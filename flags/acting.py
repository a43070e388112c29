"""Carries out what was decided: row, flag and record change together, or not at all.

People are told in the same transaction: whoever dies leaves no decision untold. But no
trouble with the telling keeps a decision from being carried out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import DatabaseError, Error, connection, transaction
from django.db.models import F

from flags import changes, decisions, runtime, telling
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
    """Change row and flag as decided, and tell; None when somebody else was first.

    `rollout` is the row that the decision was made by; `along` is done together with
    it, in the database only. Raises: FlagsError.
    """
    decide = partial(
        _decide, rollout, outcome, at=at, grounds=grounds, learnt=learnt, along=along
    )
    decision, is_told = _decide_and_tell(decide)
    runtime.forget()
    if decision is not None and decision.action != Move.NONE:
        log.info(
            "rollout.decided",
            rollout=decision.rollout_id,
            number=decision.number,
            action=str(decision.action),
            percent=float(decision.percent_after),
        )
        if not is_told:
            transaction.on_commit(partial(telling.tell, decision))
    return decision


def _decide_and_tell(
    decide: Callable[[], Decision | None],
) -> tuple[Decision | None, bool]:
    """Return what was decided, and whether people were told of it."""
    decision = None
    try:
        with transaction.atomic():
            decision = decide()
            return decision, decision is None or _tell_along(decision)
    except Error:
        if decision is None:
            raise
        # A disk that is full, say, undoes it all: without the telling it may fit.
        log.exception("rollout.decided_again", rollout=decision.rollout_id)
    with transaction.atomic():
        return decide(), False


def _tell_along(decision: Decision) -> bool:
    """Tell in the decision's transaction. Raises: DatabaseError where that broke it."""
    if decision.action == Move.NONE:
        return True
    if connection.vendor == "postgresql":
        # Nobody who holds an alert may keep a rollback from taking effect.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
    is_told = telling.tell(decision)
    if connection.needs_rollback:
        raise DatabaseError("The telling has undone the decision.")
    return is_told


def _decide(  # noqa: PLR0913 - as above
    rollout: Rollout,
    outcome: Outcome,
    *,
    at: datetime,
    grounds: Grounds,
    learnt: Learnt | None,
    along: Callable[[], object] | None,
) -> Decision | None:
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
