"""What the provider keeps is known at the end, though the database was away before."""

import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from django.db import connection

from chat import database, generations, turns
from chat.errors import DatabaseBusy
from chat.feeds import Delta
from chat.models import Conversation, Owner, StoredInteraction
from chat.ownership import Caller
from tests.chat import stored

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("model_in_process"),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="locks SQLite's file"),
]


@contextlib.contextmanager
def _locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold the lock that every writer needs, and let them wait only a moment for it."""
    given = connection.settings_dict
    stranger = sqlite3.connect(given["NAME"], timeout=10, isolation_level=None)
    with contextlib.closing(stranger), monkeypatch.context() as patched:
        stranger.execute("BEGIN IMMEDIATE")
        patched.setitem(given["OPTIONS"], "timeout", 0.05)
        yield


@pytest.mark.parametrize(
    ("end", "is_orphan"), [(turns.stop, False), (turns.delete, True)]
)
async def test_of_an_answer_that_comes_to_no_good_end(
    of: Conversation,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[..., Awaitable[Any]],
    is_orphan: bool,
) -> None:
    def who() -> Caller:
        return Caller(of.owner_id)

    def prepare() -> None:
        stored.put(PERSISTENT_SESSION_STRATEGY="interactions")
        Owner.objects.update(conversation_count=1)

    await database.write(prepare)
    text = "[[drip words=400 delay_ms=20]] Hello"
    turn = await turns.take_turn(who, of.pk, text=text)
    with _locked(monkeypatch):
        async with aclosing(generations.engine().follow(turn.generation_id)) as feed:
            await anext(event async for event in feed if isinstance(event, Delta))
        with pytest.raises(DatabaseBusy):  # as what was queued before the first text
            await database.write(Conversation.objects.count)
    await database.insist(Conversation.objects.count)  # all others are refused by now

    await end(who, of.pk)
    await generations.engine().ended()

    kept = await database.write(StoredInteraction.objects.get)
    assert (kept.conversation_id, kept.message_id) == (
        (None, None) if is_orphan else (of.pk, turn.message_id)
    )
    assert (kept.model, kept.is_whole) == (stored.MODEL, False)
