"""The first step of a conversation: one short transaction that stores its first turn.

It runs on a database thread.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from chat import conversations, openings, ownership, ratelimit
from chat.models import Message
from chat.openings import Turn
from chat.ownership import Caller

# As long as a browser keeps what was not acknowledged (static/js/drafts.js).
_KEYS_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Beginning:
    """Who wants a new conversation, how it shall be, and from which network address.

    `who` is called on the database thread.
    """

    who: Callable[[], Caller]
    details: conversations.Details
    address: str = ""


def first(
    beginning: Beginning, *, text: str, key: str | None, look_first: bool = False
) -> Turn:
    """Store a conversation with its first message, unless this key has begun one.

    `look_first` is what the other openings take: in a new conversation there is nobody
    else to look for.

    Raises: InvalidRequest, KeyReused, RateLimited, IntegrityError.
    """
    del look_first
    caller = beginning.who()
    if key and (said := _said_first(caller, key)):
        return openings.turn_of(said, text=text)
    address = beginning.address
    conversation, visitor = conversations.begin(
        caller, beginning.details, address=address
    )
    ratelimit.spend_message(owner_id=conversation.owner_id, address=address)
    return replace(openings.say(conversation, text=text, key=key), visitor=visitor)


def _said_first(caller: Caller, key: str) -> Message | None:
    """Return the message with this key that began one of the caller's conversations.

    Only the caller's recent conversations are gone through, and in each of them an
    index finds the key: the table of messages has none for keys alone.
    """
    recent = ownership.conversations(caller).filter(
        updated_at__gte=timezone.now() - _KEYS_FOR
    )
    earlier = Message.objects.filter(
        conversation=OuterRef("conversation"), id__lt=OuterRef("id")
    )
    said = Message.objects.filter(
        ~Exists(earlier), conversation__in=recent, client_key=key
    )
    # Not `first()`: to save a sort, a database might read all messages in that order.
    return next(iter(said), None)
