"""The first step of a turn: one short transaction that stores it.

Each function runs on a database thread, inside a transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from chat import ownership, plans, ratelimit, records, statements, variants
from chat.errors import (
    ConversationBusy,
    ConversationNotFound,
    KeyReused,
    NothingToRepeat,
)
from chat.models import Conversation, Generation, Message, Owner
from chat.ownership import Caller
from chat.plans import Plan
from chat.strategies import Context
from monitoring import metrics, processes

_TITLE_CHARS = 60


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored turn and the attempt at its answer.

    `plan` is None when the turn was there before (the same key sent again).
    `so_far` is the answer's text that the attempt goes on from. `visitor` is who was
    made for it, when somebody unknown began.
    """

    conversation_id: int
    user_message_id: int
    message_id: int
    generation_id: int
    so_far: str = ""
    plan: Plan | None = None
    visitor: Owner | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Who wants something of which conversation, and from which network address.

    `who` is called on the database thread.
    """

    who: Callable[[], Caller]
    conversation_id: int
    address: str = ""

    def conversation(self) -> Conversation:
        """Return the asker's conversation. Raises: ConversationNotFound."""
        return ownership.conversation(self.who(), self.conversation_id)


@dataclass(frozen=True, slots=True)
class _Question:
    """The stored message that is being answered."""

    id: int
    text: str


def message(ask: Ask, *, text: str, key: str | None, look_first: bool = False) -> Turn:
    """Store a message with a place for its answer and a running attempt.

    Without `look_first` only the database's own constraint keeps a second attempt out,
    which saves every turn a query; after its IntegrityError, look first and say why.

    Raises: ConversationNotFound, KeyReused, RateLimited, ConversationBusy,
    IntegrityError.
    """
    conversation = ask.conversation()
    said = conversation.messages.filter(client_key=key).first() if key else None
    if said is not None:
        return turn_of(said, text=text)
    ratelimit.spend_message(owner_id=conversation.owner_id, address=ask.address)
    if look_first:
        _require_idle(conversation)
    return say(conversation, text=text, key=key)


def say(conversation: Conversation, *, text: str, key: str | None) -> Turn:
    """Store a message that is allowed. Raises: IntegrityError, as `message` says."""
    now = timezone.now()
    message_id = statements.add_message(
        conversation_id=conversation.pk,
        parent_id=None,
        role=Message.Role.USER,
        content=text,
        status=Message.Status.COMPLETE,
        client_key=key,
        now=now,
    )
    needs_title = not conversation.message_count and not conversation.title_is_by_user
    statements.count_messages(
        conversation_id=conversation.pk,
        added=2,
        title=_title(text) if needs_title else None,
        now=now,
    )
    metrics.count(messages=2)
    return _attempt(conversation, _Question(message_id, text), now=now)


def turn_of(message: Message, *, text: str) -> Turn:
    """Return the turn that a stored message has made.

    Raises: KeyReused for another text; ConversationNotFound when it goes just now.
    """
    if message.content != text:
        raise KeyReused
    attempts = Generation.objects.filter(message__parent=message).order_by("-id")
    newest = attempts.values_list("id", "message_id").first()
    if newest is None:
        raise ConversationNotFound
    return Turn(
        conversation_id=message.conversation_id,
        user_message_id=message.pk,
        message_id=newest[1],
        generation_id=newest[0],
    )


def retry(ask: Ask, *, look_first: bool = True) -> Turn:
    """Put a new attempt in the place of the last answer, which is kept out of sight.

    Raises: ConversationNotFound, RateLimited, ConversationBusy, NothingToRepeat.
    """
    conversation = _admitted(ask, look_first=look_first)
    old = _last_answer(conversation)
    if not old.can_be_retried or old.parent is None:
        raise NothingToRepeat
    Message.objects.filter(pk=old.pk).update(is_superseded=True)
    question = _Question(old.parent.pk, old.parent.content)
    return _attempt(conversation, question, now=_touch(conversation))


def continuation(ask: Ask, *, look_first: bool = True) -> Turn:
    """Begin an attempt that goes on with the text of the last answer.

    Raises: ConversationNotFound, RateLimited, ConversationBusy, NothingToRepeat.
    """
    conversation = _admitted(ask, look_first=look_first)
    answer = _last_answer(conversation)
    if not answer.can_be_continued or answer.parent is None:
        raise NothingToRepeat
    Message.objects.filter(pk=answer.pk).update(status=Message.Status.STREAMING)
    question = _Question(answer.parent.pk, answer.parent.content)
    return _attempt(conversation, question, now=_touch(conversation), answer=answer)


def _admitted(ask: Ask, *, look_first: bool) -> Conversation:
    conversation = ask.conversation()
    ratelimit.spend_message(owner_id=conversation.owner_id, address=ask.address)
    if look_first:
        _require_idle(conversation)
    return conversation


def _require_idle(conversation: Conversation) -> None:
    """Raises: ConversationBusy while a living process answers here."""
    if running(conversation):
        records.reap(conversation_id=conversation.pk)
        if turn := running(conversation):
            raise ConversationBusy(
                generation_id=turn.generation_id,
                events_url=f"/api/v1/sessions/{conversation.pk}/events",
            )


def _last_answer(conversation: Conversation) -> Message:
    answer = (
        conversation.messages.filter(is_superseded=False, role=Message.Role.ASSISTANT)
        .select_related("parent")
        .order_by("-id")
        .first()
    )
    if answer is None:
        raise NothingToRepeat
    return answer


def _touch(conversation: Conversation) -> datetime:
    now = timezone.now()
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=now)
    return now


def _attempt(
    conversation: Conversation,
    question: _Question,
    *,
    now: datetime,
    answer: Message | None = None,
) -> Turn:
    """Record a running attempt at an answer and plan what is sent for it."""
    evaluation = variants.settle(conversation)
    context = Context(
        model=conversation.model,
        personality=conversation.personality,
        message=question.text,
        so_far=answer.content if answer else "",
    )
    make = plans.persistent if evaluation.is_on else plans.stateless
    plan = make(conversation, question.id, context)
    answer_id = answer.pk if answer else _place_for_answer(conversation, question, now)
    generation_id = statements.add_generation(
        conversation_id=conversation.pk,
        message_id=answer_id,
        process=processes.me(),
        strategy=plan.strategy.name,
        variant=evaluation.variant,
        variant_reason=evaluation.reason,
        model=conversation.model,
        now=now,
    )
    return Turn(
        conversation_id=conversation.pk,
        user_message_id=question.id,
        message_id=answer_id,
        generation_id=generation_id,
        so_far=context.so_far,
        plan=plan,
    )


def _place_for_answer(
    conversation: Conversation, question: _Question, now: datetime
) -> int:
    return statements.add_message(
        conversation_id=conversation.pk,
        parent_id=question.id,
        role=Message.Role.ASSISTANT,
        content="",
        status=Message.Status.PENDING,
        client_key=None,
        now=now,
    )


def _title(text: str) -> str:
    """Return the beginning of a message, cut between words where there are any."""
    words = " ".join(text.split())
    if len(words) <= _TITLE_CHARS:
        return words
    head, space, _ = words[:_TITLE_CHARS].rpartition(" ")
    return f"{head if space else words[:_TITLE_CHARS]}…"


def running(conversation: Conversation) -> Turn | None:
    """Return the turn that is being answered now, if any."""
    generation = (
        Generation.objects.filter(
            conversation=conversation, status=Generation.Status.RUNNING
        )
        .select_related("message")
        .defer("message__content")
        .first()
    )
    if generation is None:
        return None
    return Turn(
        conversation_id=conversation.pk,
        user_message_id=generation.message.parent_id or 0,
        message_id=generation.message_id,
        generation_id=generation.pk,
    )
