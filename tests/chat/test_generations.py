"""The running answer, told to end at moments that hurt."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings

from chat import database, generations, records, strategies
from chat.generations import Engine
from chat.models import Conversation, Generation, Message, Owner
from chat.plans import Plan
from chat.strategies import Context
from monitoring import processes
from tests.chat import stored

pytestmark = pytest.mark.django_db(transaction=True)

_CONTEXT = Context(model="some-model", personality="default", message="Hello")


@pytest.fixture(autouse=True)
def _no_connection_is_left() -> Iterator[None]:
    yield
    database.close()


def _opened() -> Generation:
    owner = Owner.objects.create(kind=Owner.Kind.VISITOR)
    conversation = Conversation.objects.create(owner=owner, title="Test", model="m")
    answer = Message.objects.create(
        conversation=conversation, role="assistant", status="pending"
    )
    return Generation.objects.create(
        conversation=conversation,
        message=answer,
        process=processes.me(),
        strategy="stateless",
        model="m",
    )


async def _started(engine: Engine, *, so_far: str = "") -> Generation:
    generation = await database.write(_opened)
    engine.start(
        generation_id=generation.pk,
        message_id=generation.message_id,
        so_far=so_far,
        plan=Plan(generation.conversation_id, 1, strategies.STATELESS, _CONTEXT),
    )
    return generation


def _state(generation: Generation) -> tuple[str, str, str]:
    found = Generation.objects.select_related("message").get(pk=generation.pk)
    return found.status, found.message.status, found.message.content


async def test_an_answer_that_is_stopped_before_it_begins_still_ends() -> None:
    engine = generations.engine()
    generation = await _started(engine, so_far="Begun ")

    engine.stop(generation.pk)
    await engine.wait(generation.pk)

    state = await sync_to_async(_state)(generation)
    assert state == ("stopped", "stopped", "Begun ")


async def test_an_answer_that_is_opened_when_the_process_ends_is_interrupted() -> None:
    engine = generations.engine()
    generation = await _started(engine)

    engine.close_in(0)
    engine.stop(generation.pk)
    engine._interrupt()
    await engine.ended()

    state = await sync_to_async(_state)(generation)
    assert state[:2] == ("interrupted", "interrupted")


async def test_an_answer_without_a_key_for_the_model_fails_with_a_reason(
    settings: LazySettings,
) -> None:
    assert settings.GEMINI_API_KEY == ""
    engine = generations.engine()

    generation = await _started(engine)
    await engine.wait(generation.pk)

    await generation.arefresh_from_db()
    assert generation.status == "failed"
    assert generation.error_reason == "no_key"
    assert "operator" in generation.error_detail


async def test_an_engine_belongs_to_one_event_loop() -> None:
    assert generations.engine() is generations.engine()


class _Unlucky(strategies.Stateless):
    """A strategy with a mistake in its last step."""

    def after(self, context: Context, answered: strategies.Answered) -> None:
        raise ZeroDivisionError


@pytest.mark.usefixtures("model_in_process")
async def test_an_answer_whose_end_fails_is_let_go_and_reaped(
    settings: LazySettings,
) -> None:
    engine = generations.engine()
    generation = await database.write(_opened)
    context = replace(_CONTEXT, model=stored.MODEL)
    plan = Plan(generation.conversation_id, 1, _Unlucky(), context)
    engine.start(
        generation_id=generation.pk,
        message_id=generation.message_id,
        so_far="",
        plan=plan,
    )

    await engine.ended()
    settings.HEARTBEAT_STALE_S = 0
    await database.write(records.reap)

    state = await sync_to_async(_state)(generation)
    assert state[:2] == ("interrupted", "interrupted")
