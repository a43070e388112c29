"""The first step of a turn: one short transaction that stores it.

Each function runs on a database thread, inside a transaction.
"""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from chat import ownership, processes, ratelimit, records, strategies
from chat.completion import Prompt
from chat.errors import ConversationBusy, KeyReused, NothingToRepeat
from chat.models import Conversation, Generation, Message
from chat.ownership import Caller
from monitoring import metrics

_TITLE_CHARS = 60
_REPEATABLE = {
    Message.Status.FAILED,
    Message.Status.STOPPED,
    Message.Status.INTERRUPTED,
    Message.Status.BLOCKED,
}
_CONTINUABLE = {Message.Status.STOPPED, Message.Status.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored turn and the attempt at its answer.

    `prompt` is None when the turn was there before (the same key sent again).
    `so_far` is the answer's text that the attempt goes on from.
    """

    conversation_id: int
    user_message_id: int
    message_id: int
    generation_id: int
    so_far: str = ""
    prompt: Prompt | None = None


def message(
    who: Callable[[], Caller],
    conversation_id: int,
    *,
    text: str,
    key: str | None,
    address: str,
) -> Turn:
    conversation = ownership.conversation(who(), conversation_id)
    if key and (same := _same_turn(conversation, key=key, text=text)):
        return same
    ratelimit.spend_message(owner_id=conversation.owner_id, address=address)
    _require_idle(conversation)
    now = timezone.now()
    message = Message.objects.create(
        conversation=conversation,
        role=Message.Role.USER,
        content=text,
        status=Message.Status.COMPLETE,
        client_key=key,
        created_at=now,
    )
    answer = _place_for_answer(message)
    changes = {"message_count": F("message_count") + 2, "updated_at": now}
    if not conversation.message_count and not conversation.title_is_by_user:
        changes["title"] = textwrap.shorten(text, _TITLE_CHARS, placeholder="…")
    Conversation.objects.filter(pk=conversation.pk).update(**changes)
    metrics.count(messages=2)
    return _attempt(conversation, message, answer)


def retry(who: Callable[[], Caller], conversation_id: int, address: str) -> Turn:
    conversation = ownership.conversation(who(), conversation_id)
    ratelimit.spend_message(owner_id=conversation.owner_id, address=address)
    _require_idle(conversation)
    old = _last_answer(conversation)
    if old.status not in _REPEATABLE or old.parent is None:
        raise NothingToRepeat
    Message.objects.filter(pk=old.pk).update(is_superseded=True)
    _touch(conversation)
    return _attempt(conversation, old.parent, _place_for_answer(old.parent))


def continuation(who: Callable[[], Caller], conversation_id: int, address: str) -> Turn:
    conversation = ownership.conversation(who(), conversation_id)
    ratelimit.spend_message(owner_id=conversation.owner_id, address=address)
    _require_idle(conversation)
    answer = _last_answer(conversation)
    if answer.status not in _CONTINUABLE or not answer.content or not answer.parent:
        raise NothingToRepeat
    Message.objects.filter(pk=answer.pk).update(status=Message.Status.STREAMING)
    _touch(conversation)
    return _attempt(conversation, answer.parent, answer)


def _same_turn(conversation: Conversation, *, key: str, text: str) -> Turn | None:
    """Return the turn that this key already made. Raises: KeyReused."""
    message = conversation.messages.filter(client_key=key).first()
    if message is None:
        return None
    if message.content != text:
        raise KeyReused
    newest = (
        Generation.objects.filter(message__parent=message)
        .order_by("-id")
        .values_list("id", "message_id")[0]
    )
    return Turn(
        conversation_id=conversation.pk,
        user_message_id=message.pk,
        message_id=newest[1],
        generation_id=newest[0],
    )


def _require_idle(conversation: Conversation) -> None:
    """Raises: ConversationBusy while a living process answers here."""
    if running(conversation):
        records.reap(conversation_id=conversation.pk)
        if turn := running(conversation):
            raise ConversationBusy(
                generation_id=turn.generation_id,
                events_url=f"/api/v1/sessions/{conversation.pk}/events",
            )


def _place_for_answer(message: Message) -> Message:
    return Message.objects.create(
        conversation_id=message.conversation_id,
        parent=message,
        role=Message.Role.ASSISTANT,
        status=Message.Status.PENDING,
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


def _touch(conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=timezone.now())


def _attempt(conversation: Conversation, message: Message, answer: Message) -> Turn:
    """Record a running attempt at an answer and prepare what is sent for it."""
    strategy = strategies.choose()
    generation = Generation.objects.create(
        conversation=conversation,
        message=answer,
        process=processes.me(),
        strategy=strategy.name,
        model=conversation.model,
    )
    context = strategies.Context(
        model=conversation.model,
        personality=conversation.personality,
        history=_history(message),
        message=message.content,
        so_far=answer.content,
    )
    return Turn(
        conversation_id=conversation.pk,
        user_message_id=message.pk,
        message_id=answer.pk,
        generation_id=generation.pk,
        so_far=answer.content,
        prompt=strategy.prompt(context),
    )


def _history(message: Message) -> list[strategies.Line]:
    """Return what was said before, oldest first, at most 20 messages.

    A blocked answer and its question stay out: sent again, they would block every
    later turn. Answers without text stay out too.
    """
    newest_first = (
        Message.objects.filter(
            conversation_id=message.conversation_id,
            id__lt=message.pk,
            is_superseded=False,
        )
        .order_by("-id")
        .values_list("id", "parent_id", "role", "content", "status")[
            : settings.STATELESS_HISTORY_MESSAGES
        ]
    )
    rows = list(newest_first)
    blocked = {parent for _, parent, _, _, s in rows if s == Message.Status.BLOCKED}
    return [
        strategies.Line(role, content)
        for pk, _, role, content, status in reversed(rows)
        if content and status != Message.Status.BLOCKED and pk not in blocked
    ]


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
