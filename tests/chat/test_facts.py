"""What chat tells monitoring, from the rows of turns alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chat.facts import ChatFacts
from chat.models import Generation
from monitoring import jobs
from monitoring.facts import Arm, Timing
from tests.chat import stored

pytestmark = pytest.mark.django_db

_HOUR = timedelta(hours=1)


def _turn(*, age_s: float = 0, **fields: Any) -> Generation:
    """Add an ended turn of a conversation of its own."""
    answer = stored.turn(stored.conversation())
    given = {"created_at": timezone.now() - timedelta(seconds=age_s)} | fields
    answer.generations.update(**given)
    return answer.generations.get()


def test_turns_are_those_of_the_window_that_have_ended() -> None:
    for age_s, duration_ms in ((10, 10.0), (3500, 30.0), (3700, 1000.0)):
        _turn(age_s=age_s, duration_ms=duration_ms)
    stored.turn(stored.conversation(), status="pending")

    turns = ChatFacts().turns(since=timezone.now() - _HOUR)

    assert turns.count == 2
    assert turns.timing == Timing.of([10.0, 30.0])


def test_errors_are_counted_by_code_and_a_stopped_turn_is_none() -> None:
    for code in ("GEMINI_TIMEOUT", "RESPONSE_BLOCKED", "GEMINI_TIMEOUT"):
        _turn(error_code=code, status="failed")
    _turn(status="stopped")
    _turn()

    turns = ChatFacts().turns(since=timezone.now() - _HOUR)

    assert turns.errors_by_code == {"GEMINI_TIMEOUT": 2, "RESPONSE_BLOCKED": 1}
    assert (turns.error_count, turns.count) == (3, 5)


def test_a_turn_whose_process_died_counts_though_nobody_timed_it() -> None:
    _turn(error_code="SERVICE_UNAVAILABLE", status="interrupted", duration_ms=None)

    turns = ChatFacts().turns(since=timezone.now() - _HOUR)

    assert (turns.count, turns.error_count) == (1, 1)
    assert turns.timing == Timing()


def test_a_session_is_found_in_the_treatment_only() -> None:
    for outcome in ("created", "hit", "hit", "topped_up", "recovered", "stateless"):
        _turn(variant="on", session_outcome=outcome)
    _turn(variant="off")

    found = ChatFacts().session_turns(since=timezone.now() - _HOUR)

    assert (found.hit, found.topped_up) == (2, 1)
    assert (found.recovered, found.stateless) == (1, 1)


def test_sessions_are_timed_by_how_they_were_got() -> None:
    for session_ms in (4.0, 6.0, None):
        _turn(variant="on", session_outcome="recovered", session_ms=session_ms)
    _turn(variant="on", session_outcome="created", session_ms=1.0)

    since = timezone.now() - _HOUR

    assert ChatFacts().session_timing("recovered", since=since).avg_ms == 5
    assert ChatFacts().session_timing("created", since=since).count == 1
    assert ChatFacts().session_timing("hit", since=since).avg_ms is None


def test_the_arms_are_compared_by_billed_tokens_of_turns_that_ended_well() -> None:
    _turn(variant="on", prompt_tokens=100, cached_tokens=100, duration_ms=20)
    _turn(variant="on", prompt_tokens=200, cached_tokens=0, duration_ms=40)
    _turn(variant="on", prompt_tokens=9000, cached_tokens=0, status="failed")
    _turn(variant="off", prompt_tokens=300, cached_tokens=0, duration_ms=60)

    treatment, control = ChatFacts().arms(since=timezone.now() - _HOUR)

    assert (treatment.turn_count, treatment.response_ms) == (2, 30)
    assert treatment.input_tokens_per_turn == pytest.approx(105)
    assert control == Arm(1, 300, 60, token_count=1, response_count=1)


def test_a_turn_that_reported_no_tokens_says_nothing_about_tokens() -> None:
    _turn(variant="on", prompt_tokens=None, cached_tokens=None, duration_ms=20)

    treatment, control = ChatFacts().arms(since=timezone.now() - _HOUR)

    assert treatment == Arm(1, None, 20, token_count=0, response_count=1)
    assert control == Arm(0, None, None, token_count=0, response_count=0)


def test_newcomers_are_conversations_and_messages_of_the_window() -> None:
    old = timezone.now() - 2 * _HOUR
    stored.turn(stored.conversation())
    active = stored.conversation(created_at=old)
    stored.turn(active)
    stored.conversation(created_at=old, updated_at=old)

    found = ChatFacts().newcomers(since=timezone.now() - _HOUR)

    assert (found.sessions, found.messages) == (1, 4)


def test_a_question_that_is_answered_again_is_one_message() -> None:
    answer = stored.turn(stored.conversation())
    assert answer.parent is not None
    stored.reply(answer.parent, "Once more.")
    stored.attempt(answer)

    found = ChatFacts().newcomers(since=timezone.now() - _HOUR)

    assert found.messages == 3


def test_an_old_question_answered_anew_is_one_new_message() -> None:
    answer = stored.turn(stored.conversation())
    question = answer.parent
    assert question is not None
    old = timezone.now() - 2 * _HOUR
    question.created_at = answer.created_at = old
    question.save()
    answer.save()
    answer.generations.update(created_at=old)
    stored.reply(question, "Once more.")

    assert ChatFacts().newcomers(since=timezone.now() - _HOUR).messages == 1


def test_without_conversations_there_was_no_activity() -> None:
    found = ChatFacts().newcomers(since=timezone.now() - _HOUR)

    assert (found.sessions, found.messages, found.last_activity) == (0, 0, None)


def test_the_pool_is_that_of_all_processes() -> None:
    stored.put(MAX_PERSISTENT_SESSIONS=60, CLEANUP_INTERVAL=60)
    for number in range(3):
        stored.registered(process=stored.ELSEWHERE.format(number), size_bytes=1000)

    pool = ChatFacts().pool()

    assert (pool.count, pool.maximum, pool.size_bytes) == (3, 60, 3000)
    assert pool.cleanup_interval_s == 60
    assert pool.oldest_age_s is not None


def test_the_last_cleanup_is_the_last_that_succeeded() -> None:
    assert ChatFacts().pool().last_cleanup is None

    before = timezone.now()
    jobs.run("chat.clean_up_sessions")

    last = ChatFacts().pool().last_cleanup
    assert last is not None
    assert before <= last <= timezone.now()


def test_without_a_live_session_none_is_the_oldest() -> None:
    pool = ChatFacts().pool()

    assert (pool.count, pool.size_bytes, pool.oldest_age_s) == (0, 0, None)


@pytest.mark.parametrize("is_tracking", [True, False])
def test_whether_anybody_counts_follows_the_setting(is_tracking: bool) -> None:
    stored.put(ENABLE_PERFORMANCE_TRACKING=is_tracking)

    assert ChatFacts().pool().is_counted is is_tracking


@pytest.mark.parametrize(
    ("percent", "is_enabled"), [(0, False), (1, True), (100, True)]
)
def test_persistent_sessions_are_enabled_when_anybody_may_get_one(
    percent: int, is_enabled: bool
) -> None:
    stored.roll_out(percent)

    assert ChatFacts().is_persistent_enabled() is is_enabled
