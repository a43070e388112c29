"""A turn's exchange with the model when its session can't be used as planned."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from chat import database, sessions
from chat.models import Conversation, Generation, LiveSession
from tests.chat import in_process, stored
from tests.chat.in_process import outcome, say
from tests.chat.persistent import texts

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("model_in_process"),
]

Sent = Callable[[], list[dict[str, Any]]]


async def _put(**values: Any) -> None:
    await database.write(partial(stored.put, **values))


def _forget(of: Conversation) -> None:
    """Lose the live session, as a process that was replaced."""
    assert sessions.pool().drop(of.pk)


async def _registered(of: Conversation) -> list[int]:
    rows = LiveSession.objects.filter(conversation=of)
    return await database.read(lambda: list(rows.values_list("version", flat=True)))


async def test_a_turn_leaves_a_session_that_the_next_one_hits(
    of: Conversation, requests: Sent, marker: str
) -> None:
    first = await say(of, f"One {marker}")
    second = await say(of, f"Two {marker}")

    assert outcome(first) == ("history", "created", "")
    assert outcome(second) == ("history", "hit", "")
    assert texts(requests()[1]) == [
        f"user: One {marker}",
        f"model: {first.message.content}",
        f"user: Two {marker}",
    ]
    assert await _registered(of) == [second.message_id]
    kept = sessions.pool().find(of.pk)
    assert kept is not None
    assert (kept.version, kept.message_count) == (second.message_id, 4)


async def test_a_lost_session_is_recovered_in_one_call_with_the_same_contents(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await say(of, f"[[thoughts]] One {marker}")
    await say(of, f"Two {marker}")
    _forget(of)

    turn = await say(of, f"Three {marker}")
    after = await say(of, f"Four {marker}")

    _, second, third, _ = requests()
    assert outcome(turn) == ("history", "recovered", "")
    assert outcome(after)[1] == "hit"
    assert third["contents"][:3] == second["contents"]
    assert "thoughtSignature" in str(third["contents"])


async def test_what_it_took_to_get_the_session_is_kept_with_the_turn(
    of: Conversation,
) -> None:
    created = await say(of, "One")
    _forget(of)
    recovered = await say(of, "Two")

    pks = [created.pk, recovered.pk]
    timed = Generation.objects.filter(pk__in=pks, session_ms__gt=0)
    assert await database.read(timed.count) == 2


async def test_a_recovery_takes_along_no_more_than_it_may(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await _put(MAX_RECOVERY_HISTORY_MESSAGES=2)
    await say(of, f"One {marker}")
    second = await say(of, f"Two {marker}")
    _forget(of)

    await say(of, f"Three {marker}")

    assert texts(requests()[-1]) == [
        f"user: Two {marker}",
        f"model: {second.message.content}",
        f"user: Three {marker}",
    ]


async def test_while_recovery_is_off_a_lost_session_makes_the_turn_stateless(
    of: Conversation, requests: Sent, marker: str
) -> None:
    first = await say(of, f"One {marker}")
    await _put(ENABLE_SESSION_RECOVERY=False)
    _forget(of)

    turn = await say(of, f"Two {marker}")

    assert outcome(turn) == ("stateless", "stateless", "recovery_disabled")
    [text] = texts(requests()[1])
    assert f"User: One {marker}" in text
    assert f"Assistant: {first.message.content}" in text


async def test_while_recovery_is_off_a_first_turn_still_makes_a_session(
    of: Conversation,
) -> None:
    await _put(ENABLE_SESSION_RECOVERY=False)

    assert outcome(await say(of, "One")) == ("history", "created", "")
    assert outcome(await say(of, "Two")) == ("history", "hit", "")


@pytest.mark.parametrize("is_recovery_on", [True, False])
async def test_a_first_turn_that_is_made_again_has_nothing_to_recover(
    of: Conversation, requests: Sent, marker: str, is_recovery_on: bool
) -> None:
    await _put(ENABLE_SESSION_RECOVERY=is_recovery_on)
    failed = await say(of, f"[[status code=503 times=1 key={marker}]] One")

    turn = await in_process.retry(of)

    assert failed.status == "failed"
    assert outcome(turn) == ("history", "created", "")
    assert [len(body["contents"]) for body in requests()] == [1, 1]
    assert await _registered(of) == [turn.message_id]


async def test_a_recovery_that_takes_too_long_is_given_up_and_the_answer_comes(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await _put(RECOVERY_TIMEOUT_SECONDS=1)
    await say(of, f"One {marker}")
    _forget(of)

    async with in_process.readers_are_busy():
        turn = await say(of, f"Two {marker}")

    assert outcome(turn) == ("stateless", "stateless", "recovery_timeout")
    assert turn.status == "complete"
    assert f"User: One {marker}" in texts(requests()[1])[0]
    assert len(requests()) == 2


async def test_a_recovery_that_is_slow_but_in_time_is_used(of: Conversation) -> None:
    await say(of, "One")
    _forget(of)

    async with in_process.readers_are_busy() as let_go:
        in_process.later(0.3, let_go)
        turn = await say(of, "Two")

    assert outcome(turn) == ("history", "recovered", "")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="aborts SQLite's statements")
async def test_a_recovery_that_the_database_fails_is_replaced_and_the_answer_comes(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await say(of, f"One {marker}")
    _forget(of)
    await in_process.on_each_reader(in_process.abort_next_statement)

    turn = await say(of, f"Two {marker}")

    assert outcome(turn) == ("stateless", "stateless", "recovery_failed")
    assert turn.status == "complete"
    assert f"User: One {marker}" in texts(requests()[1])[0]


async def test_a_turn_that_fell_back_is_made_up_for_by_the_next_one(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await say(of, f"One {marker}")
    _forget(of)
    await _put(ENABLE_SESSION_RECOVERY=False)
    await say(of, f"Two {marker}")
    await _put(ENABLE_SESSION_RECOVERY=True)

    turn = await say(of, f"Three {marker}")

    assert outcome(turn) == ("history", "recovered", "")
    assert len(requests()[-1]["contents"]) == 5


async def test_a_turn_that_failed_leaves_the_session_as_it_was(
    of: Conversation,
) -> None:
    first = await say(of, "One")
    await say(of, "[[status code=503]] Two")

    assert await _registered(of) == [first.message_id]
    assert outcome(await say(of, "Three"))[1] == "topped_up"


async def test_a_turn_of_control_never_meets_a_session(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await _put(USE_PERSISTENT_SESSIONS=False)
    await say(of, f"One {marker}")

    turn = await say(of, f"Two {marker}")

    assert outcome(turn) == ("stateless", "", "")
    assert [len(body["contents"]) for body in requests()] == [1, 1]
    assert await _registered(of) == []
    assert len(sessions.pool()) == 0


async def test_where_there_is_no_room_the_turn_is_as_good_as_any(
    of: Conversation,
) -> None:
    await _put(MAX_PERSISTENT_SESSIONS=1, CLEANUP_BATCH_SIZE=1)
    await database.write(partial(stored.registered, is_busy=True))

    first = await say(of, "One")
    second = await say(of, "Two")

    assert first.status == second.status == "complete"
    assert outcome(first)[1] == "created"
    assert outcome(second)[1] == "recovered"
    assert await _registered(of) == []
