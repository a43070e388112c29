"""Conversations are begun, listed, changed and deleted here."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet

from chat import ownership, personalities, ratelimit
from chat.errors import InvalidRequest
from chat.models import Conversation, Message, Owner
from chat.ownership import Caller
from monitoring import metrics

NEW_TITLE = "New conversation"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a longer list, and how long that is."""

    items: list[Any]
    total: int


def begin(
    caller: Caller,
    *,
    title: str = "",
    model: str = "",
    personality: str = "",
    metadata: dict[str, Any] | None = None,
    address: str = "",
) -> tuple[Conversation, Owner | None]:
    """Start a conversation; somebody unknown becomes a new visitor.

    Returns the conversation and the new visitor, if one was made.
    Raises: InvalidRequest, RateLimited.
    """
    ratelimit.spend_address(address)
    checked = _checked(model=model, personality=personality)
    visitor = None
    if not Owner.objects.filter(pk=caller.owner_id).exists():
        visitor = ownership.new_visitor()
    conversation = Conversation.objects.create(
        owner_id=visitor.pk if visitor else caller.owner_id,
        title=title or NEW_TITLE,
        title_is_by_user=bool(title),
        model=checked.get("model", settings.GEMINI_MODEL),
        personality=checked.get("personality", personalities.DEFAULT),
        metadata=metadata or {},
    )
    _count(conversation, sessions=1)
    return conversation, visitor


def change(
    conversation: Conversation,
    *,
    title: str | None = None,
    model: str | None = None,
    personality: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> Conversation:
    """Change what is given and nothing else. Raises: InvalidRequest."""
    changes: dict[str, Any] = _checked(model=model, personality=personality)
    if title is not None:
        changes |= {"title": title or NEW_TITLE, "title_is_by_user": bool(title)}
    if metadata is not None:
        changes["metadata"] = metadata
    for name, value in changes.items():
        setattr(conversation, name, value)
    if changes:
        conversation.save(update_fields=list(changes))
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
    owner = Owner.objects.filter(pk=caller.owner_id).first()
    return Page(list(rows), owner.conversation_count if owner else 0)


def visible_messages(conversation: Conversation) -> QuerySet[Message]:
    """Return the messages without the attempts that newer ones replaced."""
    return conversation.messages.filter(is_superseded=False)


def _count(conversation: Conversation, *, sessions: int) -> None:
    """Keep the totals, so that nobody has to count rows."""
    Owner.objects.filter(pk=conversation.owner_id).update(
        conversation_count=F("conversation_count") + sessions
    )
    metrics.count(sessions=sessions)


def _checked(*, model: str | None, personality: str | None) -> dict[str, str]:
    """Return what was given, checked. Raises: InvalidRequest naming the choices."""
    checked = {}
    if model:
        if model not in settings.GEMINI_MODELS:
            raise InvalidRequest(
                f"The model {model[:100]!r} is not offered here. "
                f"Choose one of: {', '.join(settings.GEMINI_MODELS)}."
            )
        checked["model"] = model
    if personality:
        if personality not in personalities.PERSONALITIES:
            raise InvalidRequest(
                f"There is no personality {personality[:100]!r}. "
                f"Choose one of: {', '.join(personalities.PERSONALITIES)}."
            )
        checked["personality"] = personality
    return checked
