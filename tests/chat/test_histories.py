"""What was said before a message, read from the rows in one query."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from chat import histories
from chat.contents import Line
from chat.models import Conversation, Message
from tests.chat import stored
from tests.chat.stored import MODEL, SIGNED

pytestmark = pytest.mark.django_db

_ALL = 10**9


def _recent(of: Conversation, *, before_id: int = _ALL, limit: int = 20) -> list[Line]:
    return histories.recent(conversation_id=of.pk, before_id=before_id, limit=limit)


def _signed(of: Conversation, **changes: Any) -> list[Line] | None:
    given: dict[str, Any] = {
        "before_id": _ALL,
        "after_id": 0,
        "limit": 20,
        "model": MODEL,
    }
    return histories.signed(conversation_id=of.pk, **given | changes)


def _newest_signed(of: Conversation, **changes: Any) -> list[Line]:
    given: dict[str, Any] = {"before_id": _ALL, "limit": 20, "model": MODEL}
    return histories.newest_signed(conversation_id=of.pk, **given | changes)


def _said(lines: list[Line] | None) -> list[tuple[str, str]]:
    assert lines is not None
    return [(line.role, line.text) for line in lines]


def _each(of: Conversation) -> list[list[str]]:
    """Return the texts that each of the three functions tells."""
    told = (_recent(of), _signed(of), _newest_signed(of))
    return [[line.text for line in lines or []] for lines in told]


def test_what_was_said_comes_oldest_first_with_its_speakers() -> None:
    of = stored.conversation()
    stored.turn(of, "One", "Two")
    stored.turn(of, "Three", "Four")

    for lines in (_recent(of), _signed(of), _newest_signed(of)):
        assert _said(lines) == [
            ("user", "One"),
            ("assistant", "Two"),
            ("user", "Three"),
            ("assistant", "Four"),
        ]


def test_no_other_conversation_is_told() -> None:
    of = stored.conversation()
    stored.turn(stored.conversation(), "Secret", "Secret")

    assert _each(of) == [[], [], []]


def test_an_attempt_that_was_replaced_is_not_told() -> None:
    of = stored.conversation()
    broken = stored.turn(of, "One", "Broken", status="interrupted")
    Message.objects.filter(pk=broken.pk).update(is_superseded=True)
    assert broken.parent is not None
    stored.reply(broken.parent, "Whole")

    assert _each(of) == [["One", "Whole"]] * 3


def test_a_blocked_answer_and_its_question_are_not_told() -> None:
    of = stored.conversation()
    stored.turn(of, "Harmless", "Fine")
    stored.turn(of, "Harmful", "Half an ans", status="blocked")
    stored.turn(of, "Next", "Fine")

    assert _each(of) == [["Harmless", "Fine", "Next", "Fine"]] * 3


def test_a_question_whose_blocked_answer_was_replaced_by_a_good_one_is_told() -> None:
    of = stored.conversation()
    blocked = stored.turn(of, "Borderline", "", status="blocked")
    Message.objects.filter(pk=blocked.pk).update(is_superseded=True)
    assert blocked.parent is not None
    stored.reply(blocked.parent, "Fine")

    assert _each(of) == [["Borderline", "Fine"]] * 3


def test_an_answer_without_text_is_not_told_but_its_question_is() -> None:
    of = stored.conversation()
    stored.turn(of, "Unanswered", "", status="failed")

    assert _each(of) == [["Unanswered"]] * 3


def test_an_answer_that_broke_off_is_told_as_far_as_it_came() -> None:
    of = stored.conversation()
    stored.turn(of, "One", "Once upon", status="interrupted")
    stored.turn(of, "Two", "A ti", status="stopped")

    assert _each(of) == [["One", "Once upon", "Two", "A ti"]] * 3


def test_only_what_stands_before_the_message_is_told() -> None:
    of = stored.conversation()
    stored.turn(of, "One", "Two")
    answer = stored.turn(of, "Three", "Four")
    assert answer.parent_id is not None

    for lines in (
        _recent(of, before_id=answer.parent_id),
        _signed(of, before_id=answer.parent_id),
        _newest_signed(of, before_id=answer.parent_id),
    ):
        assert _said(lines) == [("user", "One"), ("assistant", "Two")]


def test_only_what_stands_behind_the_other_message_is_told() -> None:
    of = stored.conversation()
    first = stored.turn(of, "One", "Two")
    second = stored.turn(of, "Three", "Four")

    assert _said(_signed(of, after_id=first.pk)) == [
        ("user", "Three"),
        ("assistant", "Four"),
    ]
    assert _signed(of, after_id=second.pk) == []


def test_the_newest_are_told_up_to_the_limit() -> None:
    of = stored.conversation()
    for number in range(3):
        stored.turn(of, f"Question {number}", f"Answer {number}")

    for lines in (_recent(of, limit=3), _newest_signed(of, limit=3)):
        assert [line.text for line in lines] == ["Answer 1", "Question 2", "Answer 2"]


@pytest.mark.parametrize(("limit", "is_told"), [(4, True), (3, False)])
def test_all_that_was_missed_is_told_or_nothing(limit: int, is_told: bool) -> None:
    of = stored.conversation()
    stored.turn(of)
    stored.turn(of)

    assert (_signed(of, limit=limit) is not None) is is_told


def test_signatures_are_told_to_the_model_that_made_them_only() -> None:
    of = stored.conversation()
    stored.turn(of, "One", "Two", signatures=[SIGNED])
    stored.turn(of, "Three", "Four", signatures=[SIGNED], model="another-model")

    for lines in (_signed(of), _newest_signed(of)):
        assert lines is not None
        assert [list(line.signed) for line in lines] == [[], [SIGNED], [], []]
    assert all(not line.signed for line in _recent(of))
    assert [
        list(line.signed) for line in _newest_signed(of, model="another-model")
    ] == [
        *([], [], [], [SIGNED]),
    ]


def test_a_continued_answer_has_the_signatures_of_its_good_end() -> None:
    of = stored.conversation()
    answer = stored.turn(of, "One", "Whole", signatures=[SIGNED], model="another-model")
    answer.generations.update(status="interrupted")
    stored.attempt(answer)

    assert _newest_signed(of)[1].signed == [SIGNED]


@pytest.mark.parametrize("read", [_recent, _signed, _newest_signed])
def test_a_conversation_of_any_length_is_read_in_one_query(
    read: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    of = stored.conversation()
    for number in range(9):
        stored.turn(of, f"Question {number}", signatures=[SIGNED])

    with django_assert_num_queries(1):
        lines = read(of)

    assert len(lines) == 18
