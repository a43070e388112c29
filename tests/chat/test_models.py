"""What the database itself refuses, whoever writes to it."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from chat.models import ApiToken, Conversation, Generation, Message, Owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation() -> Conversation:
    owner = Owner.objects.create(kind=Owner.Kind.VISITOR)
    return Conversation.objects.create(owner=owner, title="Test", model="some-model")


def _attempt(conversation: Conversation, **changes: Any) -> Generation:
    answer = Message.objects.create(
        conversation=conversation, role="assistant", status="pending"
    )
    given = {
        "conversation": conversation,
        "message": answer,
        "process": "host:1:1.00",
        "strategy": "stateless",
        "model": "some-model",
    }
    return Generation.objects.create(**given | changes)


def _refused(make: Any, **given: Any) -> bool:
    try:
        with transaction.atomic():
            make(**given)
    except IntegrityError:
        return True
    return False


def test_a_conversation_has_one_running_answer(conversation: Conversation) -> None:
    first = _attempt(conversation)

    assert _refused(_attempt, conversation=conversation)
    Generation.objects.filter(pk=first.pk).update(status="complete")
    assert not _refused(_attempt, conversation=conversation)


def test_any_number_of_answers_may_have_ended(conversation: Conversation) -> None:
    for status in Generation.Status.values:
        if status != Generation.Status.RUNNING:
            for _ in range(2):
                _attempt(conversation, status=status)

    assert conversation.generations.count() == 2 * (len(Generation.Status.values) - 1)


def test_a_client_key_is_used_once_in_a_conversation(
    conversation: Conversation,
) -> None:
    def say(key: str | None) -> Message:
        return Message.objects.create(
            conversation=conversation, role="user", status="complete", client_key=key
        )

    say("key")

    assert _refused(say, key="key")
    assert not _refused(say, key="other")
    assert not _refused(say, key=None)
    assert not _refused(say, key=None)


def test_a_user_owner_has_a_user_and_no_other_has() -> None:
    user = get_user_model().objects.create_user("alice")
    make = Owner.objects.create

    assert _refused(make, kind="user")
    assert _refused(make, kind="visitor", user=user)
    assert _refused(make, kind="local", user=user)
    assert not _refused(make, kind="user", user=user)
    assert _refused(make, kind="user", user=user)


def test_there_is_one_local_owner_and_many_visitors() -> None:
    make = Owner.objects.create
    make(kind="local")

    assert _refused(make, kind="local")
    assert not _refused(make, kind="visitor")
    assert not _refused(make, kind="visitor")


def test_a_token_is_stored_once() -> None:
    owner = Owner.objects.create(kind="visitor")
    given = {"owner": owner, "name": "test", "prefix": "p", "digest": "d" * 64}
    ApiToken.objects.create(**given)

    assert _refused(ApiToken.objects.create, **given)


@pytest.mark.parametrize("count", [-1, -100])
def test_no_count_is_negative(conversation: Conversation, count: int) -> None:
    rows = Conversation.objects.filter(pk=conversation.pk)

    assert _refused(rows.update, message_count=count)


def test_a_conversation_takes_its_messages_and_attempts_with_it(
    conversation: Conversation,
) -> None:
    _attempt(conversation)

    conversation.delete()

    assert not Message.objects.exists()
    assert not Generation.objects.exists()
    assert Owner.objects.count() == 1


def test_an_owner_takes_everything_with_it(conversation: Conversation) -> None:
    _attempt(conversation)

    conversation.owner.delete()

    assert not Conversation.objects.exists()
    assert not Generation.objects.exists()


def test_a_message_without_its_question_stays(conversation: Conversation) -> None:
    question = Message.objects.create(
        conversation=conversation, role="user", status="complete"
    )
    answer = Message.objects.create(
        conversation=conversation, role="assistant", status="complete", parent=question
    )

    question.delete()

    answer.refresh_from_db()
    assert answer.parent is None
