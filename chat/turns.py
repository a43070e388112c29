"""The one path a message takes: stored first, answered second."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from django.conf import settings
from django.db import IntegrityError

from chat import (
    beginnings,
    conversations,
    database,
    generations,
    openings,
    ownership,
    records,
    sessions,
)
from chat.background import carried
from chat.beginnings import Beginning
from chat.errors import (
    ConversationBusy,
    InvalidMessage,
    InvalidRequest,
    PayloadTooLarge,
)
from chat.openings import Ask, Turn
from chat.ownership import Caller

_Write: TypeAlias = Callable[[Callable[[], Turn]], Awaitable[Turn]]

_MAX_KEY_CHARS = 200


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
    """Return a usable idempotency key or None. Raises: InvalidRequest."""
    if key and (len(key) > _MAX_KEY_CHARS or not key.isprintable()):
        raise InvalidRequest(
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
            openings.message,
            Ask(who, conversation_id, address),
            text=clean(text),
            key=clean_key(key),
        )
    )


async def begin(
    who: Callable[[], Caller],
    details: conversations.Details,
    *,
    text: str,
    key: str | None = None,
    address: str = "",
) -> Turn:
    """Begin a conversation with its first message, all of it or nothing.

    The same `key` again returns the same turn of the same conversation; somebody
    unknown has none. Raises: InvalidRequest, and what `take_turn` raises.
    """
    return await _begin(
        partial(
            beginnings.first,
            Beginning(who, details, address),
            text=clean(text),
            key=clean_key(key),
        ),
        write=conversations.timed,
    )


async def retry(
    who: Callable[[], Caller], conversation_id: int, *, address: str = ""
) -> Turn:
    """Answer the last message anew; the failed attempt is kept out of sight.

    Raises: NothingToRepeat, and what `take_turn` raises.
    """
    return await _begin(partial(openings.retry, Ask(who, conversation_id, address)))


async def resume(
    who: Callable[[], Caller], conversation_id: int, *, address: str = ""
) -> Turn:
    """Let the model go on where the last answer broke off.

    Raises: NothingToRepeat, and what `take_turn` raises.
    """
    return await _begin(
        partial(openings.continuation, Ask(who, conversation_id, address))
    )


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
    """Delete a conversation and end its running answer.

    Raises: ConversationNotFound.
    """

    def remove() -> int | None:
        conversation = ownership.conversation(who(), conversation_id)
        turn = openings.running(conversation)
        conversations.delete(conversation)
        return turn.generation_id if turn else None

    generation_id = await database.write(remove)
    if generation_id is not None:
        generations.engine().stop(generation_id)
    sessions.pool().drop(conversation_id)


async def _begin(
    open_turn: Callable[..., Turn], write: _Write = database.write
) -> Turn:
    """Store and start as one step that a vanishing client can't cut in two."""
    return await asyncio.shield(carried(_store_and_start(open_turn, write)))


async def _store_and_start(open_turn: Callable[..., Turn], write: _Write) -> Turn:
    engine = generations.engine()
    with engine.admission():
        try:
            turn = await write(open_turn)
        except IntegrityError:
            # Somebody else has this key or this conversation: looking tells which.
            turn = await _look_and_store(open_turn)
        if turn.plan is not None:
            engine.start(
                generation_id=turn.generation_id,
                message_id=turn.message_id,
                so_far=turn.so_far,
                plan=turn.plan,
            )
    return turn


async def _look_and_store(open_turn: Callable[..., Turn]) -> Turn:
    try:
        return await database.write(partial(open_turn, look_first=True))
    except IntegrityError as error:
        raise ConversationBusy from error
