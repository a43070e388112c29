"""The one path a message takes: stored first, answered second."""

import asyncio
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone

from chat import (
    conversations,
    database,
    generations,
    ownership,
    processes,
    ratelimit,
    records,
    strategies,
)
from chat.errors import (
    ConversationBusy,
    InvalidMessage,
    KeyReused,
    NothingToRepeat,
    PayloadTooLarge,
)
from chat.completion import Prompt
from chat.models import Conversation, Generation, Message
from chat.ownership import Caller
from monitoring import metrics

_TITLE_CHARS = 60
_MAX_KEY_CHARS = 200
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


def clean(text: str) -> str:
    """Return the text of a message as it will be stored.

    Raises: InvalidMessage when nothing is left or it can't be text; PayloadTooLarge
    over `MAX_MESSAGE_CHARS` characters.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise InvalidMessage
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidMessage(
            "The message holds characters that are not text (a NUL or half of a "
            "surrogate pair). Remove them and send again."
        )
    if len(text) > settings.MAX_MESSAGE_CHARS:
        raise PayloadTooLarge(
            f"The message has {len(text):,} characters; at most "
            f"{settings.MAX_MESSAGE_CHARS:,} are allowed. Shorten or split it."
        )
    return text


def clean_key(key: str | None) -> str | None:
    """Return a usable idempotency key or None. Raises: InvalidMessage if too long."""
    if key and (len(key) > _MAX_KEY_CHARS or not key.isprintable()):
        raise InvalidMessage(
            f"The Idempotency-Key must be at most {_MAX_KEY_CHARS} printable "
            f"characters."
        )
    return key or None


async def take_turn(
    who: Callable[[], Caller],
    conversation_id: int,
    *,
    text: str,
    key: str | None = None,
    address: str = "",
) -> Turn:
    """Store a message with a place for its answer, then begin the answer.

    `who` is called on the database thread. The same `key` again returns the same turn.
    Raises: ConversationNotFound, ConversationBusy, RateLimited, KeyReused,
    InvalidMessage, PayloadTooLarge, Overloaded, ShuttingDown, DatabaseBusy.
    """
    return await _begin(
        partial(
            _open,
            who,
            conversation_id,
            text=clean(text),
            key=clean_key(key),
            address=address,
        )
    )


async def retry(
    who: Callable[[], Caller], conversation_id: int, *, address: str = ""
) -> Turn:
    """Answer the last message anew; the failed attempt is kept out of sight.

    Raises: NothingToRepeat, and what `take_turn` raises.
    """
    return await _begin(partial(_open_retry, who, conversation_id, address))


async def resume(
    who: Callable[[], Caller], conversation_id: int, *, address: str = ""
) -> Turn:
    """Let the model go on where the last answer broke off.

    Raises: NothingToRepeat, and what `take_turn` raises.
    """
    return await _begin(partial(_open_continuation, who, conversation_id, address))


async def stop(who: Callable[[], Caller], conversation_id: int) -> list[int]:
    """Stop the running answer, whichever process makes it.

    Returns the ids of the attempts that were asked to stop: none or one.
    Raises: ConversationNotFound.
    """

    def ask() -> list[int]:
        conversation = ownership.conversation(who(), conversation_id)
        records.reap(conversation_id=conversation.pk)
        return records.request_stop(conversation.pk)

    stopped = await database.write(ask)
    for generation_id in stopped:
        generations.engine().stop(generation_id)
    return stopped


async def delete(who: Callable[[], Caller], conversation_id: int) -> None:
    """Delete a conversation and end its running answer. Raises: ConversationNotFound."""

    def remove() -> int | None:
        conversation = ownership.conversation(who(), conversation_id)
        turn = running(conversation)
        conversations.delete(conversation)
        return turn.generation_id if turn else None

    generation_id = await database.write(remove)
    if generation_id is not None:
        generations.engine().stop(generation_id)


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


async def _begin(open_turn: Callable[[], Turn]) -> Turn:
    """Store and start as one step that a vanishing client can't cut in two."""
    return await asyncio.shield(generations.detached(_store_and_start(open_turn)))


async def _store_and_start(open_turn: Callable[[], Turn]) -> Turn:
    engine = generations.engine()
    with engine.admission():
        try:
            turn = await database.write(open_turn)
        except IntegrityError:
            # Another process won the race for this key or this conversation:
            # looking again tells which.
            turn = await _write_again(open_turn)
        if turn.prompt is not None:
            engine.start(
                generation_id=turn.generation_id,
                message_id=turn.message_id,
                so_far=turn.so_far,
                prompt=turn.prompt,
            )
    return turn


async def _write_again(open_turn: Callable[[], Turn]) -> Turn:
    try:
        return await database.write(open_turn)
    except IntegrityError as error:
        raise ConversationBusy from error


def _open(
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


def _open_retry(
    who: Callable[[], Caller], conversation_id: int, address: str
) -> Turn:
    conversation = ownership.conversation(who(), conversation_id)
    ratelimit.spend_message(owner_id=conversation.owner_id, address=address)
    _require_idle(conversation)
    old = _last_answer(conversation)
    if old.status not in _REPEATABLE or old.parent is None:
        raise NothingToRepeat
    Message.objects.filter(pk=old.pk).update(is_superseded=True)
    _touch(conversation)
    return _attempt(conversation, old.parent, _place_for_answer(old.parent))


def _open_continuation(
    who: Callable[[], Caller], conversation_id: int, address: str
) -> Turn:
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
