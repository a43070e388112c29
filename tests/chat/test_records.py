"""What the database knows of a running answer, and who may still write to it."""

import subprocess
import sys
from datetime import timedelta
from typing import Any

import psutil
import pytest
from django.conf import LazySettings
from django.utils import timezone

from chat import records, statements
from chat.completion import Usage
from chat.errors import GeminiBusy
from chat.models import Conversation, Generation, Message, Owner
from chat.records import Outcome, Progress
from monitoring import processes

pytestmark = pytest.mark.django_db

_OTHER_HOST = "some-other-host:1:1.00"
_DONE = Outcome(status="complete", content="All of it", finish_reason="STOP")


def _dead_process() -> str:
    host = processes.me().rsplit(":", 2)[0]
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        started = psutil.Process(child.pid).create_time()
    return f"{host}:{child.pid}:{started:.2f}"


def _running(*, process: str = "", age_s: float = 0, text: str = "") -> Generation:
    owner = Owner.objects.create(kind=Owner.Kind.VISITOR)
    conversation = Conversation.objects.create(owner=owner, title="Test", model="m")
    question = Message.objects.create(
        conversation=conversation, role="user", content="Why?", status="complete"
    )
    answer = Message.objects.create(
        conversation=conversation,
        parent=question,
        role="assistant",
        content=text,
        status="streaming",
    )
    return Generation.objects.create(
        conversation=conversation,
        message=answer,
        process=process or processes.me(),
        heartbeat_at=timezone.now() - timedelta(seconds=age_s),
        strategy="stateless",
        model="m",
    )


def _end(generation: Generation, outcome: Outcome = _DONE) -> bool:
    return records.end(
        conversation_id=generation.conversation_id,
        generation_id=generation.pk,
        message_id=generation.message_id,
        outcome=outcome,
    )


def _state(generation: Generation) -> tuple[str, str, str]:
    found = Generation.objects.select_related("message").get(pk=generation.pk)
    return found.status, found.message.status, found.message.content


@pytest.mark.parametrize(
    ("process", "age_s", "is_reaped"),
    [
        ("alive", 0, False),
        ("alive", 14, False),
        ("alive", 16, True),
        ("dead", 0, True),
        ("elsewhere", 0, False),
        ("elsewhere", 14, False),
        ("elsewhere", 16, True),
    ],
)
def test_an_attempt_is_reaped_when_its_process_is_gone_or_silent(
    settings: LazySettings, process: str, age_s: float, is_reaped: bool
) -> None:
    settings.HEARTBEAT_STALE_S = 15
    names = {"alive": "", "dead": _dead_process(), "elsewhere": _OTHER_HOST}
    generation = _running(process=names[process], age_s=age_s, text="So far")

    count = records.reap()

    assert count == is_reaped
    status = "interrupted" if is_reaped else "running"
    assert _state(generation)[0] == status
    assert _state(generation)[2] == "So far"


def test_a_reaped_answer_is_called_interrupted_and_says_why() -> None:
    generation = _running(process=_dead_process(), text="So far")

    records.reap()

    assert _state(generation) == ("interrupted", "interrupted", "So far")
    generation.refresh_from_db()
    assert generation.error_code == "SERVICE_UNAVAILABLE"
    assert generation.error_reason == "process_ended"
    assert generation.ended_at is not None


def test_reaping_one_conversation_leaves_the_others() -> None:
    dead = _dead_process()
    one, other = _running(process=dead), _running(process=dead)

    assert records.reap(conversation_id=one.conversation_id) == 1
    assert _state(other)[0] == "running"
    assert (records.reap(), records.reap()) == (1, 0)


def test_a_reaped_attempt_can_write_nothing_more() -> None:
    generation = _running(process=_OTHER_HOST, age_s=60, text="So far")
    records.reap()

    has_ended = _end(generation)
    stopped, held = records.flush(
        [Progress(generation.pk, generation.message_id, "So far and more")]
    )

    assert has_ended is False
    assert (stopped, held) == (set(), set())
    assert records.signals([generation.pk]) == (set(), set())
    assert _state(generation) == ("interrupted", "interrupted", "So far")


def test_of_two_endings_the_first_wins() -> None:
    generation = _running()

    assert _end(generation)
    assert not _end(generation, Outcome(status="failed", content="Something else"))
    assert _state(generation) == ("complete", "complete", "All of it")


def test_an_ended_attempt_is_not_reaped() -> None:
    generation = _running(process=_dead_process())
    _end(generation)

    assert records.reap() == 0
    assert _state(generation) == ("complete", "complete", "All of it")


def test_an_ending_keeps_all_that_is_known_of_it() -> None:
    generation = _running()
    error = GeminiBusy("Busy.", retry_after_s=7.5)
    signatures = [{"thoughtSignature": "c2ln", "text": ""}]
    outcome = Outcome(
        status="interrupted",
        content="Half",
        finish_reason="OTHER",
        usage=Usage(10, 4, 3, 2, 19),
        model_version="some-version",
        signatures=signatures,
        error=error,
        time_to_first_token_ms=12.5,
        duration_ms=99.0,
    )

    _end(generation, outcome)

    kept = Generation.objects.select_related("message").get(pk=generation.pk)
    expected: dict[str, Any] = {
        "status": "interrupted",
        "finish_reason": "OTHER",
        "model_version": "some-version",
        "prompt_tokens": 10,
        "cached_tokens": 4,
        "output_tokens": 3,
        "thoughts_tokens": 2,
        "error_code": "RATE_LIMITED",
        "error_reason": "rate_limited",
        "error_detail": "Busy.",
        "retry_after_s": 7.5,
        "time_to_first_token_ms": 12.5,
        "duration_ms": 99.0,
    }
    assert {name: getattr(kept, name) for name in expected} == expected
    assert kept.message.signatures == signatures


def test_what_the_model_did_not_report_is_unknown_and_not_zero() -> None:
    generation = _running()

    _end(generation)

    generation.refresh_from_db()
    assert generation.prompt_tokens is None
    assert generation.cached_tokens is None
    assert generation.duration_ms is None


def test_a_flush_stores_texts_and_renews_heartbeats() -> None:
    silent, talking = _running(age_s=10, text="same"), _running(age_s=10)

    stopped, held = records.flush(
        [
            Progress(silent.pk, silent.message_id, None),
            Progress(talking.pk, talking.message_id, "new"),
        ]
    )

    assert (stopped, held) == (set(), {silent.pk, talking.pk})
    assert _state(silent) == ("running", "streaming", "same")
    assert _state(talking) == ("running", "streaming", "new")
    for generation in (silent, talking):
        generation.refresh_from_db()
        assert timezone.now() - generation.heartbeat_at < timedelta(seconds=5)


def test_a_wish_to_stop_is_seen_by_flush_and_by_look() -> None:
    one, other = _running(), _running()

    asked = records.request_stop(one.conversation_id)
    again = records.request_stop(one.conversation_id)

    assert asked == again == [one.pk]
    both = [Progress(each.pk, each.message_id, None) for each in (one, other)]
    assert records.flush(both) == ({one.pk}, {one.pk, other.pk})
    assert records.signals([one.pk, other.pk]) == ({one.pk}, {one.pk, other.pk})


def test_there_is_nothing_to_stop_where_nothing_runs() -> None:
    generation = _running()
    _end(generation)

    assert records.request_stop(generation.conversation_id) == []


def test_another_process_sees_status_text_and_whether_somebody_is_there() -> None:
    alive, gone = _running(text="alive"), _running(process=_dead_process(), text="gone")

    sights = records.look([alive.pk, gone.pk, 10**9])

    assert {pk: (s.content, s.is_abandoned) for pk, s in sights.items()} == {
        alive.pk: ("alive", False),
        gone.pk: ("gone", True),
    }


def test_an_ended_attempt_comes_with_all_that_an_answer_shows() -> None:
    generation = _running()
    _end(generation)

    found = statements.ended_generation(generation.pk)

    stored = Generation.objects.get(pk=generation.pk)
    assert found is not None
    assert found.conversation == stored.conversation
    assert found.conversation.created_at == stored.conversation.created_at
    assert found.message.content == "All of it"
    assert found.message.parent == stored.message.parent
    assert found.message.created_at == stored.message.created_at
    assert statements.ended_generation(10**9) is None
