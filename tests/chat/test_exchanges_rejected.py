"""What is tried when the model does not take what a session sends it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from chat import database
from chat.models import Conversation, LiveSession
from tests.chat import stored
from tests.chat.in_process import outcome, say

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("model_in_process"),
]

Sent = Callable[[], list[dict[str, Any]]]


async def test_what_the_model_rejects_is_asked_once_more_as_a_transcript(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await say(of, f"[[thoughts]] One {marker}")

    turn = await say(of, f"[[status code=400 times=1 key={marker}]] Two")

    assert outcome(turn) == ("stateless", "stateless", "rejected")
    assert turn.status == "complete"
    _, rejected, accepted = requests()
    assert "thoughtSignature" in str(rejected)
    assert "thoughtSignature" not in str(accepted)
    assert len(accepted["contents"]) == 1


async def test_what_made_the_model_reject_a_turn_is_not_sent_again(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await say(of, f"[[thoughts]] One {marker}")
    await say(of, f"[[status code=400 times=1 key={marker}]] Two")

    turns = [await say(of, f"{word} {marker}") for word in ("Three", "Four")]

    assert [outcome(turn)[1] for turn in turns] == ["recovered", "hit"]
    assert [len(body["contents"]) for body in requests()[-2:]] == [5, 7]
    assert "thoughtSignature" not in str(requests()[-2:])


async def test_what_the_provider_keeps_is_not_gone_on_from_once_it_was_rejected(
    of: Conversation, requests: Sent, marker: str
) -> None:
    keep = partial(stored.put, PERSISTENT_SESSION_STRATEGY="interactions")
    await database.write(keep)
    await say(of, f"One {marker}")
    await say(of, f"[[status code=400 times=1 key={marker}]] Two")

    turns = [await say(of, f"{word} {marker}") for word in ("Three", "Four")]

    assert [outcome(turn)[1] for turn in turns] == ["recovered", "hit"]
    *_, told, continued = requests()
    assert "previous_interaction_id" not in told
    assert continued["previous_interaction_id"]


async def test_what_the_model_rejects_twice_is_an_error(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await say(of, f"One {marker}")

    turn = await say(of, f"[[status code=400]] Two {marker}")

    assert (turn.status, turn.error_reason) == ("failed", "rejected")
    assert len(requests()) == 3


async def test_a_first_message_that_the_model_rejects_is_asked_once(
    of: Conversation, requests: Sent, marker: str
) -> None:
    turn = await say(of, f"[[status code=400]] One {marker}")

    assert (turn.status, turn.error_reason) == ("failed", "rejected")
    assert outcome(turn) == ("history", "created", "")
    assert len(requests()) == 1
    assert not await database.read(LiveSession.objects.filter(conversation=of).exists)


async def test_an_answer_that_has_begun_is_not_asked_for_again(
    of: Conversation, requests: Sent, marker: str
) -> None:
    await say(of, f"One {marker}")

    turn = await say(of, f"[[error_mid code=400 after=3]] Two {marker}")

    assert turn.status == "interrupted"
    assert outcome(turn) == ("history", "hit", "")
    assert len(requests()) == 2


@pytest.mark.parametrize("directive", ["status code=503", "status code=429", "blocked"])
async def test_other_errors_are_no_reason_for_another_way_to_ask(
    of: Conversation, requests: Sent, marker: str, directive: str
) -> None:
    await say(of, f"One {marker}")

    turn = await say(of, f"[[{directive}]] Two {marker}")

    assert outcome(turn) == ("history", "hit", "")
    assert len(requests()) == 2
