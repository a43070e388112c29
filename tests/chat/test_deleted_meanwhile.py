"""A conversation that another tab deletes while this one waits for what it sent."""

import asyncio
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import AsyncClient

from chat import conversations, database, ownership, turns
from chat.errors import ConversationNotFound
from chat.models import Conversation, Generation, Owner
from chat.ownership import Caller
from tests.chat import in_process, stored

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("model_in_process"),
]
_PATIENCE_S = 20.0


def _browser_of(conversation: Conversation) -> AsyncClient:
    """Return a client with the cookie of the conversation's owner."""
    answer, client = HttpResponse(), AsyncClient()
    ownership.remember_visitor(answer, conversation.owner)
    client.cookies = answer.cookies
    return client


async def _until(is_so: Callable[[], bool]) -> None:
    """Ask the writer, as the readers are busy."""
    async with asyncio.timeout(_PATIENCE_S):
        while not await database.write(is_so):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("what", ["send", "retry", "continue"])
async def test_what_was_sent_into_it_is_told_that_it_is_gone(
    of: Conversation, what: str
) -> None:
    def prepare() -> None:
        stored.turn(of, status="stopped")
        Owner.objects.update(conversation_count=1)

    await database.write(prepare)
    browser = _browser_of(of)

    async with in_process.readers_are_busy():
        sent = asyncio.create_task(
            browser.post(
                f"/c/{of.pk}/{what}",
                data={"message": "Hello"},
                headers={"Accept": "application/json"},
            )
        )
        await _until(lambda: Generation.objects.count() == 2)
        await turns.delete(lambda: Caller(of.owner_id), of.pk)
    answered = await sent

    assert answered.status_code == 404
    assert answered.json()["error_code"] == "SESSION_NOT_FOUND"


def test_what_was_read_before_it_went_is_not_changed(of: Conversation) -> None:
    as_read = Conversation.objects.get(pk=of.pk)
    of.delete()

    with pytest.raises(ConversationNotFound):
        conversations.change(as_read, conversations.Details(title="Too late"))
