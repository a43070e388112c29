"""What the provider keeps is known, and deleted there in spite of what refuses."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from chat import database, gemini, records, stored_interactions
from chat.models import Conversation, Generation, StoredInteraction
from chat.records import Outcome
from tests.chat import stored
from tests.chat.gemini_calls import playing, reply

pytestmark = pytest.mark.django_db(transaction=True)

_COUNT = 3
_BODY = b'{"error": {"message": "No.", "code": "odd"}}'
_LENGTH = f"Content-Length: {len(_BODY)}"
_DONE = reply("200 OK", _BODY, "application/json", _LENGTH)


@pytest.fixture(autouse=True)
def _fresh_model(settings: LazySettings) -> Iterator[None]:
    settings.GEMINI_API_KEY = "local"
    gemini.model.cache_clear()
    yield
    gemini.model.cache_clear()
    database.close()


def _end(attempt: Generation, status: str) -> bool:
    """End an attempt of which the provider keeps something."""
    return records.end(
        conversation_id=attempt.conversation_id,
        generation_id=attempt.pk,
        message_id=attempt.message_id,
        outcome=Outcome(
            status,
            "Because.",
            model=stored.MODEL,
            interaction_ids=["v1_late"],
            interaction_id="v1_late",
        ),
    )


@pytest.mark.parametrize(
    ("status", "is_whole"), [("complete", True), ("stopped", False), ("failed", False)]
)
def test_one_whose_name_came_while_the_database_was_away_is_known_at_the_end(
    status: str, is_whole: bool
) -> None:
    answer = stored.turn(stored.conversation(), status="streaming")

    assert _end(answer.generations.get(), status)

    known = StoredInteraction.objects.get()
    assert (known.interaction_id, known.is_whole) == ("v1_late", is_whole)
    assert (known.conversation_id, known.message) == (answer.conversation_id, answer)
    assert known.model == stored.MODEL


@pytest.mark.parametrize("is_deleted", [False, True])
def test_one_is_known_though_somebody_else_has_ended_its_answer(
    is_deleted: bool,
) -> None:
    answer = stored.turn(stored.conversation(), status="interrupted")
    attempt = answer.generations.get()
    if is_deleted:
        Conversation.objects.all().delete()

    assert not _end(attempt, "complete")

    known = StoredInteraction.objects.get()
    assert known.conversation_id == (None if is_deleted else answer.conversation_id)
    assert not known.is_whole


async def _delete(settings: LazySettings, *answers: bytes) -> tuple[int, int, int]:
    """Delete some orphans; return how many calls, deletions and rows that makes."""

    def run() -> tuple[int, int]:
        for number in range(_COUNT):
            stored_interactions.add(f"v1_{number}", message_id=0, model="m")
        return stored_interactions.delete_orphans(), StoredInteraction.objects.count()

    async with playing(*answers) as provider:
        settings.GEMINI_BASE_URL = provider.url
        deleted, left = await database.write(run)
        return len(provider.requests), deleted, left


@pytest.mark.parametrize("status", ["403 Forbidden", "400 Bad Request"])
async def test_one_that_may_not_be_deleted_keeps_no_other_from_it(
    settings: LazySettings, status: str
) -> None:
    refused = reply(status, _BODY, "application/json", _LENGTH)

    assert await _delete(settings, refused, _DONE) == (3, 2, 1)


@pytest.mark.parametrize(
    "status", ["401 Unauthorized", "429 Too Many Requests", "503 Service Unavailable"]
)
async def test_while_nothing_can_be_deleted_nothing_more_is_tried(
    settings: LazySettings, status: str
) -> None:
    refused = reply(status, _BODY, "application/json", _LENGTH)

    assert await _delete(settings, _DONE, refused) == (2, 1, 2)
