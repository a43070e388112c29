"""What a turn is to send, as far as its opening transaction can tell.

Runs on a database thread, inside that transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from chat import conf, histories, registrations, sessions, strategies
from chat.contents import Line
from chat.models import Conversation, Generation
from chat.sessions import Session
from chat.strategies import Context, Strategy

SessionNote, SessionOutcome = Generation.SessionNote, Generation.SessionOutcome


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a session may be brought back from the database."""

    is_allowed: bool
    max_messages: int
    timeout_s: int


_NO_RECOVERY = Recovery(is_allowed=False, max_messages=0, timeout_s=0)


@dataclass(frozen=True, slots=True)
class Plan:
    """One turn: its question, how it is told to the model, and with which session.

    `outcome` is empty for a conversation in control. A turn that has to recover its
    session has no history yet: reading it is left to the turn's own task, which gives
    it up when it takes too long. Then `recent` is told instead, which must not have to
    be read first. `note` says why there is no live session to use.
    """

    conversation_id: int
    question_id: int
    strategy: Strategy
    context: Context
    outcome: str = ""
    note: str = ""
    recovery: Recovery = _NO_RECOVERY
    recent: Sequence[Line] | None = None


def stateless(conversation: Conversation, question_id: int, context: Context) -> Plan:
    """Plan a turn that sends the recent messages as one prompt."""
    told = replace(context, history=recent(conversation.pk, question_id))
    return Plan(conversation.pk, question_id, strategies.STATELESS, told)


def persistent(conversation: Conversation, question_id: int, context: Context) -> Plan:
    """Plan a turn with the live session, if this process has one that it may use."""
    strategy = strategies.named(conf.STRATEGY.get())
    recovery = Recovery(
        conf.RECOVERY.get(), conf.MAX_HISTORY.get(), conf.RECOVERY_TIMEOUT.get()
    )
    plan = Plan(
        conversation_id=conversation.pk,
        question_id=question_id,
        strategy=strategy,
        context=context,
        outcome=SessionOutcome.RECOVERED
        if conversation.message_count
        else SessionOutcome.CREATED,
        recovery=recovery,
    )
    session, note = _usable(conversation, strategy)
    if session is None:
        return _to_recover(plan, note)
    missing = histories.signed(
        conversation_id=conversation.pk,
        before_id=question_id,
        after_id=session.version,
        limit=recovery.max_messages,
        model=conversation.model,
    )
    if missing is None:
        return _to_recover(plan, SessionNote.TOO_STALE)
    if not strategies.has_room(session, missing):
        return _to_recover(plan, SessionNote.TOO_LONG)
    return replace(
        plan,
        context=replace(context, history=missing, session=session),
        outcome=SessionOutcome.TOPPED_UP if missing else SessionOutcome.HIT,
    )


def recent(conversation_id: int, question_id: int) -> list[Line]:
    """Return what a stateless turn tells of the conversation before its question."""
    return histories.recent(
        conversation_id=conversation_id,
        before_id=question_id,
        limit=settings.STATELESS_HISTORY_MESSAGES,
    )


def _to_recover(plan: Plan, note: str) -> Plan:
    is_first = plan.outcome == SessionOutcome.CREATED
    told = [] if is_first else recent(plan.conversation_id, plan.question_id)
    return replace(plan, note=note, recent=told)


def _usable(
    conversation: Conversation, strategy: Strategy
) -> tuple[Session | None, str]:
    """Return the session of this process, or None and why there is none to use."""
    session = sessions.pool().find(conversation.pk)
    if session is None:
        return None, ""
    if session.model != conversation.model:
        return None, SessionNote.MODEL_CHANGED
    if session.strategy != strategy.name:
        return None, SessionNote.STRATEGY_CHANGED
    if not registrations.is_held(conversation.pk):
        sessions.pool().drop(conversation.pk)
        return None, SessionNote.CLOSED
    return session, ""
