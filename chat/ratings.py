"""An answer is good or bad, says who asked for it; a rollout compares that, too."""

from typing import Literal

from django.utils import timezone

from chat.errors import AnswerNotFound, NothingToRate
from chat.models import Conversation, Message, Rating

Word = Literal["good", "bad"]


def rate(conversation: Conversation, message_id: int, word: Word | None) -> None:
    """Keep what was said of an answer; None takes it back. The same again is no news.

    Raises: AnswerNotFound, NothingToRate.
    """
    answer = conversation.messages.filter(
        pk=message_id, role=Message.Role.ASSISTANT, is_superseded=False
    ).first()
    if answer is None:
        raise AnswerNotFound
    if not answer.can_be_rated:
        raise NothingToRate
    found = Rating.objects.filter(message=answer)
    if word is None:
        found.delete()
        return
    is_good = word == "good"
    rating, _ = Rating.objects.get_or_create(
        message=answer, defaults={"is_good": is_good}
    )
    if rating.is_good != is_good:
        found.update(is_good=is_good, rated_at=timezone.now())
