"""Conversations are begun, listed, changed and deleted here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import F, QuerySet

from chat import conf, database, ownership, personalities, ratelimit
from chat.errors import ConversationNotFound, InvalidRequest
from chat.models import Conversation, Message, Owner
from chat.ownership import Caller
from monitoring import metrics

T = TypeVar("T")

NEW_TITLE = "New conversation"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a longer list, and how long that is."""

    items: list[Any]
    total: int


@dataclass(frozen=True, slots=True)
class Details:
    """What may be chosen of a conversation; None: leave it, or take the default."""

    title: str | None = None
    model: str | None = None
    personality: str | None = None
    metadata: dict[str, Any] | None = None

    def changes(self) -> dict[str, Any]:
        """Return the fields to set. Raises: InvalidRequest naming the choices."""
        changes: dict[str, Any] = {}
        if self.title is not None:
            changes["title"] = self.title.strip() or NEW_TITLE
            changes["title_is_by_user"] = bool(self.title.strip())
        if self.model:
            changes["model"] = _chosen("model", self.model, settings.GEMINI_MODELS)
        if self.personality:
            names = list(personalities.PERSONALITIES)
            changes["personality"] = _chosen("personality", self.personality, names)
        if self.metadata is not None:
            changes["metadata"] = self.metadata
        return changes


def begin(
    caller: Caller, details: Details, *, address: str = ""
) -> tuple[Conversation, Owner | None]:
    """Start a conversation; somebody unknown becomes a new visitor.

    Returns the conversation and the new visitor, if one was made.
    Raises: InvalidRequest, RateLimited.
    """
    ratelimit.spend_address(address)
    defaults = {
        "title": NEW_TITLE,
        "model": settings.GEMINI_MODEL,
        "personality": personalities.DEFAULT,
    }
    changes = details.changes()
    known = _owner(caller)
    owner = known or ownership.new_visitor()
    conversation = Conversation.objects.create(owner=owner, **(defaults | changes))
    _count(conversation, sessions=1)
    return conversation, None if known else owner


async def timed(begin: Callable[[], T]) -> T:
    """Run the transaction that begins a conversation, and note how long it took.

    Raises: what `begin` raises, and DatabaseBusy.
    """
    began_at = perf_counter()
    begun = await database.write(begin)
    took_ms = (perf_counter() - began_at) * 1000
    database.post(partial(_note_time, took_ms))
    return begun


def change(conversation: Conversation, details: Details) -> Conversation:
    """Change what is given and nothing else.

    Raises: InvalidRequest; ConversationNotFound when it was deleted just now.
    """
    changes = details.changes()
    for name, value in changes.items():
        setattr(conversation, name, value)
    known = Conversation.objects.filter(pk=conversation.pk)
    if changes and not known.update(**changes):
        raise ConversationNotFound
    return conversation


def delete(conversation: Conversation) -> None:
    """Delete it with its messages; an answer that is running notices and stops."""
    metrics.count(messages=-conversation.message_count)
    _count(conversation, sessions=-1)
    conversation.delete()


def newest(caller: Caller, *, skip: int, limit: int) -> Page:
    """List a caller's conversations, the newest activity first."""
    mine = ownership.conversations(caller)
    rows = mine.order_by("-updated_at", "-id")[skip : skip + limit]
    owner = _owner(caller)
    return Page(list(rows), owner.conversation_count if owner else 0)


def visible_messages(conversation: Conversation) -> QuerySet[Message]:
    """Return the messages without the attempts that newer ones replaced."""
    return conversation.messages.filter(is_superseded=False)


def _note_time(took_ms: float) -> None:
    if conf.TRACKING.get():
        metrics.observe("create_session", took_ms)


def _owner(caller: Caller) -> Owner | None:
    """Return who asks; None for somebody new, or whose record is gone."""
    if caller.owner_id is None:
        return None
    return Owner.objects.filter(pk=caller.owner_id).first()


def _count(conversation: Conversation, *, sessions: int) -> None:
    """Keep the totals, so that nobody has to count rows."""
    Owner.objects.filter(pk=conversation.owner_id).update(
        conversation_count=F("conversation_count") + sessions
    )
    metrics.count(sessions=sessions)


def _chosen(what: str, value: str, choices: list[str]) -> str:
    if value not in choices:
        raise InvalidRequest(
            f"There is no {what} {value[:100]!r} here. "
            f"Choose one of: {', '.join(choices)}."
        )
    return value
