"""What the provider keeps of our conversations, so that it can be deleted there, too.

Its functions of the database run on a database thread.
"""

import asyncio
from datetime import timedelta

import structlog
from django.utils import timezone

from chat import gemini
from chat.errors import GeminiError, GeminiRefused
from chat.models import Message, StoredInteraction
from chat.sessions import Session

log = structlog.get_logger(__name__)

_BATCH = 50
# Google keeps them for 55 days at most (paid tier, as of 2026-08).
_KEPT_FOR = timedelta(days=55)


def add(interaction_id: str, *, message_id: int, model: str) -> None:
    """Remember that the provider keeps a turn, however it ends; twice is once.

    If its conversation was deleted meanwhile, it is an orphan from the beginning.
    """
    message = Message.objects.filter(pk=message_id).values("pk", "conversation_id")
    found = message.first() or {"pk": None, "conversation_id": None}
    StoredInteraction.objects.get_or_create(
        interaction_id=interaction_id,
        defaults={
            "conversation_id": found["conversation_id"],
            "message_id": found["pk"],
            "model": model,
        },
    )


def confirm(interaction_id: str) -> None:
    """Note that its answer came to a good end: the next turn may go on from it."""
    StoredInteraction.objects.filter(interaction_id=interaction_id).update(
        is_whole=True
    )


def distrust(conversation_id: int) -> None:
    """Note that no turn may go on from these; they are still to be deleted there."""
    StoredInteraction.objects.filter(conversation_id=conversation_id).update(
        is_whole=False
    )


def newest(*, conversation_id: int, before_id: int, model: str) -> Session | None:
    """Return the provider's state of a conversation, as far as it is known to be good.

    It may be gone there; then the first call with it says so.
    """
    found = (
        StoredInteraction.objects.filter(
            conversation_id=conversation_id,
            message_id__lt=before_id,
            model=model,
            is_whole=True,
        )
        .order_by("-id")
        .first()
    )
    if found is None or found.message_id is None:
        return None
    return Session(
        conversation_id=conversation_id,
        strategy="interactions",
        model=model,
        version=found.message_id,
        message_count=0,
        size_bytes=len(found.interaction_id),
        interaction_id=found.interaction_id,
    )


def delete_orphans() -> int:
    """Delete at the provider what belongs to no conversation any more.

    What fails is left for the next run. They are drawn by lot: some that can't be
    deleted must not stand before all others. Returns how many are gone there.
    """
    expired = StoredInteraction.objects.filter(
        created_at__lt=timezone.now() - _KEPT_FOR
    )
    expired.delete()
    orphans = dict(
        StoredInteraction.objects.filter(conversation=None)
        .order_by("?")
        .values_list("interaction_id", "id")[:_BATCH]
    )
    deleted = asyncio.run(_delete(list(orphans))) if orphans else []
    gone = [orphans[each] for each in deleted]
    StoredInteraction.objects.filter(pk__in=gone).delete()
    return len(deleted)


async def _delete(interaction_ids: list[str]) -> list[str]:
    """Delete them one after the other; return those that are gone."""
    model = gemini.model()
    deleted = []
    try:
        for interaction_id in interaction_ids:
            try:
                await model.delete_interaction(interaction_id)
            except GeminiError as error:
                log.warning("interactions.delete_failed", reason=error.reason)
                if _is_about_all(error):
                    break
            else:
                deleted.append(interaction_id)
    finally:
        await model.close()
    return deleted


def _is_about_all(error: GeminiError) -> bool:
    """Tell whether the next would fail, too; one alone may be another project's."""
    if isinstance(error, GeminiRefused):
        return error.reason != "permission_denied"
    return error.is_transient or error.is_outage
