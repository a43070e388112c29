"""People say what an answer was like, and a rollout is told."""

from typing import Any

import pytest

from chat.models import Conversation, Generation, Rating, VariantChange
from chat.observations import ChatObservations
from chat.observations_past import ChatPast
from tests.chat import stored
from tests.chat.observed import LIMITS, MIDNIGHT, NOON, STEP, STEP_S, at, both
from tests.clients import Api


def _path(session_id: int, message_id: int) -> str:
    return f"{session_id}/messages/{message_id}/rating"


def _rate(api: Api, session_id: int, message_id: int, rating: Any) -> tuple[int, Any]:
    response = api.call("PUT", _path(session_id, message_id), json={"rating": rating})
    return response.status_code, response.json()


def test_an_answer_is_rated_otherwise_and_taken_back(api: Api) -> None:
    session_id = api.begin()
    answer_id = api.say(session_id, "Hello")["assistant_message"]["id"]

    for rating in ("good", "good", "bad", None, None):
        found = _rate(api, session_id, answer_id, rating)

        assert found == (200, {"message_id": answer_id, "rating": rating})


@pytest.mark.parametrize("rating", ["fine", "", 1, True, ["good"]])
def test_another_word_is_refused(api: Api, rating: Any) -> None:
    session_id = api.begin()
    answer_id = api.say(session_id, "Hello")["assistant_message"]["id"]

    status, body = _rate(api, session_id, answer_id, rating)

    assert (status, body["error_code"]) == (400, "INVALID_REQUEST")


def test_only_an_answer_of_ones_own_conversation_is_found(
    api: Api, visitor: Api
) -> None:
    session_id = api.begin()
    turn = api.say(session_id, "Hello")
    answer_id = turn["assistant_message"]["id"]
    other_id = api.begin()

    for caller, of, message_id in (
        (visitor, session_id, answer_id),
        (api, other_id, answer_id),
        (api, session_id, turn["user_message"]["id"]),
        (api, session_id, 2**63 - 1),
    ):
        status, body = _rate(caller, of, message_id, "bad")

        assert (status, body["error_code"]) == (404, "SESSION_NOT_FOUND")


def test_what_has_nothing_to_read_can_not_be_rated(api: Api, marker: str) -> None:
    session_id = api.begin()
    api.ask(session_id, f"[[empty_text times=1 key={marker}]] Hello")
    failed_id = api.messages(session_id)[1]["id"]

    status, body = _rate(api, session_id, failed_id, "bad")

    assert (status, body["error_code"]) == (400, "INVALID_REQUEST")
    assert "it has no text" in body["detail"]


@pytest.fixture
def of(db: None) -> Conversation:
    """A conversation of the treatment, which began in the window before noon."""
    return stored.conversation()


def _answered(of: Conversation, *, variant: str = "on", **fields: Any) -> Generation:
    """Add an answer of its own that ended a while before noon."""
    answer = stored.turn(of)
    turn = answer.generations.get()
    Generation.objects.filter(pk=turn.pk).update(
        **{"variant": variant, "variant_reason": "SPLIT"}
        | {"created_at": at(-100), "ended_at": at(-90)}
        | fields
    )
    turn.refresh_from_db()
    return turn


def _rated(turn: Generation, second: float, *, is_good: bool = False) -> None:
    Rating.objects.create(message=turn.message, is_good=is_good, rated_at=at(second))


def _counts(begin: Any = NOON, variant: str = "on") -> tuple[int, int, int]:
    arm = both(begin)[variant]
    return arm.rated_count, arm.disliked_count, arm.disliked_past_count


def test_a_rating_counts_in_the_window_in_which_it_was_given(of: Conversation) -> None:
    _rated(_answered(of), 29.9)

    assert _counts() == (1, 1, 0)
    assert _counts(NOON + STEP) == (0, 0, 0)
    assert _counts(NOON - STEP) == (0, 0, 0)
    assert _counts(variant="off") == (0, 0, 0)


def test_a_conversation_counts_once_however_much_it_rates(of: Conversation) -> None:
    for second, is_good in ((1, True), (2, False), (3, False)):
        _rated(_answered(of), second, is_good=is_good)

    assert _counts() == (1, 1, 0)


def test_who_was_displeased_before_can_not_be_for_the_first_time(
    of: Conversation,
) -> None:
    _rated(_answered(of), -40)
    _rated(_answered(of), 5)
    _rated(_answered(of), 35, is_good=True)

    assert [_counts(), _counts(NOON + STEP)] == [(1, 0, 1), (1, 0, 1)]
    found = ChatObservations().windows(
        NOON - 2 * STEP, NOON + 2 * STEP, step_s=STEP_S, **LIMITS
    )
    assert [each["on"].disliked_count for each in found] == [1, 0, 0, 0]


def test_a_new_day_asks_anew(of: Conversation) -> None:
    for moment in (MIDNIGHT - STEP, MIDNIGHT):
        turn = _answered(of)
        Rating.objects.create(message=turn.message, is_good=False, rated_at=moment)

    assert _counts(MIDNIGHT) == (1, 1, 0)


def test_what_a_changed_conversation_says_is_in_neither_arm(of: Conversation) -> None:
    _rated(_answered(of), 10)
    _rated(_answered(of), 20)
    VariantChange.objects.create(
        conversation=of, old="on", new="off", reason="SPLIT", created_at=at(15)
    )

    assert _counts() == (1, 1, 0)
    VariantChange.objects.update(created_at=at(5))
    assert _counts() == (0, 0, 0)


def test_who_was_not_drawn_is_in_no_arm(of: Conversation) -> None:
    _rated(_answered(of, variant_reason="DEFAULT"), 10)

    assert _counts() == (0, 0, 0)


def test_who_began_before_the_rollout_is_in_no_arm(of: Conversation) -> None:
    _rated(_answered(of), 10)

    def rated(drawn_since: float) -> int:
        [found] = ChatObservations().windows(
            NOON, NOON + STEP, step_s=STEP_S, drawn_since=at(drawn_since), **LIMITS
        )
        return found["on"].rated_count

    assert [rated(-101), rated(-99)] == [1, 0]


def test_a_phase_counts_the_conversations_that_rated(of: Conversation) -> None:
    _rated(_answered(of), 1)
    _rated(_answered(of), 2, is_good=True)
    _rated(_answered(stored.conversation()), 3, is_good=True)
    _answered(stored.conversation())
    _rated(_answered(stored.conversation(), variant="off"), 3, is_good=True)

    found = ChatObservations().summary(at(-120), NOON)

    arms = [(found[each].rated_count, found[each].disliked_count) for each in found]
    assert dict(zip(found, arms, strict=True)) == {"on": (2, 1), "off": (1, 0)}
    assert found["on"].turn_count == 4


def test_a_simulation_goes_by_what_was_rated(of: Conversation) -> None:
    _rated(_answered(of, variant="", variant_reason=""), 1)

    [found] = ChatPast().untreated(NOON, NOON + STEP, step_s=STEP_S, **LIMITS)

    assert (found.rated_count, found.disliked_count) == (1, 1)


def test_a_rating_goes_with_its_conversation(of: Conversation) -> None:
    _rated(_answered(of), 1)

    of.delete()

    assert not Rating.objects.exists()
