"""What a rollout is told of conversations, window by window."""

import math
from typing import Any

import pytest

from chat import probes
from chat.models import VariantChange
from chat.observations import ChatObservations
from flags import observations
from flags.observations import ArmCounts, Observations
from tests.chat import stored
from tests.chat.observed import (
    LIMITS,
    MIDNIGHT,
    NOON,
    STEP,
    STEP_S,
    at,
    both,
    ended,
    window,
    windows,
)

pytestmark = pytest.mark.django_db

_GOOD: dict[str, Any] = {
    "duration_ms": 1000.0,
    "prompt_tokens": 1000,
    "cached_tokens": 0,
}


def test_chat_is_whom_a_rollout_asks() -> None:
    source: Observations = ChatObservations()

    assert probes is not None
    assert isinstance(observations.source(), type(source))


def test_where_nothing_happened_both_arms_count_nothing() -> None:
    found = both()

    assert found == {"on": ArmCounts(), "off": ArmCounts()}


def test_a_turn_belongs_to_the_window_that_it_ended_in() -> None:
    of = stored.conversation()
    for second in (-0.001, 0, 29.999, 30):
        ended(of, at(second), took_s=20)

    found = windows(2, begin=NOON)

    assert [each["on"].turn_count for each in found] == [2, 1]
    assert [each["on"].conversation_count for each in found] == [1, 1]


def test_a_turn_in_no_arm_is_left_out() -> None:
    of = stored.conversation()
    ended(of, at(1), variant="")
    ended(of, at(2), variant="off", variant_reason="ERROR")
    ended(of, at(3), status="running").conversation.generations.filter(
        status="running"
    ).update(ended_at=None)

    found = both()

    assert found["on"].turn_count == found["off"].turn_count == 0


@pytest.mark.parametrize(
    ("status", "code", "reason", "events"),
    [
        ("complete", "", "", ()),
        ("stopped", "", "", ()),
        ("interrupted", "", "", ()),
        ("interrupted", "SERVICE_UNAVAILABLE", "shutting_down", ()),
        ("interrupted", "SERVICE_UNAVAILABLE", "process_ended", ("error",)),
        ("failed", "SERVICE_UNAVAILABLE", "circuit_open", ("error",)),
        ("failed", "GEMINI_TIMEOUT", "total_deadline", ("error",)),
        ("interrupted", "GEMINI_API_ERROR", "early_end", ("error",)),
        ("failed", "GEMINI_API_ERROR", "rejected", ("error",)),
        ("failed", "RATE_LIMITED", "rate_limited", ("error",)),
        ("blocked", "RESPONSE_BLOCKED", "safety", ("blank",)),
        ("failed", "GEMINI_API_ERROR", "empty", ("blank",)),
        ("failed", "GEMINI_API_ERROR", "thoughts_only", ("blank",)),
    ],
)
def test_how_a_turn_ended_says_what_it_counts_as(
    status: str, code: str, reason: str, events: tuple[str, ...]
) -> None:
    ended(
        stored.conversation(),
        at(1),
        status=status,
        error_code=code,
        error_reason=reason,
        **_GOOD,
    )

    found = window()

    assert (found.turn_count, found.conversation_count) == (1, 1)
    assert found.error_count == ("error" in events)
    assert found.blank_count == ("blank" in events)


def test_a_burst_of_errors_in_a_conversation_is_one() -> None:
    of = stored.conversation()
    for second in range(5):
        ended(of, at(second), status="failed", error_code="GEMINI_TIMEOUT")

    found = window()

    assert (found.error_count, found.turn_count) == (1, 5)


def test_an_event_counts_where_it_first_happens_on_a_day() -> None:
    of = stored.conversation()
    failed: dict[str, Any] = {"status": "failed", "error_code": "GEMINI_TIMEOUT"}
    ended(of, at(-60, since=MIDNIGHT), **failed)
    ended(of, at(-15, since=MIDNIGHT), **failed)
    ended(of, at(15, since=MIDNIGHT), **failed)
    ended(of, at(45, since=MIDNIGHT), **failed)

    found = windows(5, begin=MIDNIGHT - 3 * STEP)

    assert [each["on"].error_count for each in found] == [0, 1, 0, 1, 0]
    assert [window(MIDNIGHT + n * STEP).error_count for n in range(-3, 2)] == [
        0,
        1,
        0,
        1,
        0,
    ]


def test_the_kinds_of_events_do_not_hide_one_another() -> None:
    of = stored.conversation()
    ended(of, at(1), status="failed", error_code="GEMINI_TIMEOUT")
    ended(of, at(31), status="blocked", error_code="RESPONSE_BLOCKED")
    ended(of, at(61), duration_ms=9000.0, prompt_tokens=9000, cached_tokens=0)

    found = [each["on"] for each in windows(3)]

    assert [each.error_count for each in found] == [1, 0, 0]
    assert [each.blank_count for each in found] == [0, 1, 0]
    assert [each.slow_count for each in found] == [0, 0, 1]
    assert [each.costly_count for each in found] == [0, 0, 1]


def test_slow_and_costly_are_means_of_a_conversations_complete_turns() -> None:
    slow, quick = stored.conversation(), stored.conversation()
    for conversation, times_ms in ((slow, (1000, 5002)), (quick, (1000, 5000))):
        for second, time_ms in enumerate(times_ms):
            ended(
                conversation,
                at(second),
                duration_ms=time_ms,
                prompt_tokens=2 * time_ms,
                cached_tokens=time_ms,
            )
        ended(conversation, at(9), status="failed", duration_ms=300_000)

    found = window()

    assert found.slow_count == 1
    # Billed are 1.1 of 2 tokens: 3,301 of the slow and 3,300 of the quick on average.
    assert found.costly_count == 2
    assert found.conversation_count == 2


def test_only_what_happened_since_midnight_is_remembered() -> None:
    yesterday, today = stored.conversation(), stored.conversation()
    for of, hour in ((yesterday, -13), (today, -11)):
        ended(of, at(3600 * hour), **_GOOD | {"duration_ms": 9000.0})
        ended(of, at(1), **_GOOD | {"duration_ms": 9000.0})

    assert window().slow_count == 1


def test_a_conversation_that_changed_its_variant_drops_out_from_then_on() -> None:
    flipped, other = stored.conversation(), stored.conversation()
    ended(flipped, at(10))
    # The turn that brings the change begins a moment before it.
    ended(flipped, at(40), variant="off", variant_reason="DISABLED")
    VariantChange.objects.create(
        conversation=flipped,
        old="on",
        new="off",
        reason="DISABLED",
        created_at=at(38.1),
    )
    ended(flipped, at(70), variant="off")
    VariantChange.objects.create(
        conversation=flipped, old="off", new="on", reason="STATIC", created_at=at(99)
    )
    ended(flipped, at(102))
    ended(other, at(102), variant="off")

    found = windows(4)

    assert [each["on"].turn_count for each in found] == [1, 0, 0, 0]
    assert [each["off"].turn_count for each in found] == [0, 0, 0, 1]


def test_a_turn_that_was_given_up_too_late_is_in_no_window() -> None:
    of = stored.conversation()
    ended(of, at(1), took_s=500)
    ended(of, at(2), took_s=600)
    ended(of, at(1801), took_s=600)

    assert window().turn_count == 1
    assert [each["on"].turn_count for each in windows(61)] == [1] + [0] * 60


def test_sessions_are_looked_for_in_the_treatment_by_all_but_first_turns() -> None:
    of = stored.conversation()
    for outcome in ("created", "hit", "hit", "topped_up", "recovered", "stateless", ""):
        is_served = outcome not in {"stateless", ""}
        ended(
            of,
            at(1),
            session_outcome=outcome,
            strategy="history" if is_served else "stateless",
        )
    ended(stored.conversation(), at(1), variant="off")

    found = both()

    assert (found["on"].hit_count, found["on"].lookup_count) == (2, 5)
    assert found["on"].persistent_count == 5
    assert (found["off"].hit_count, found["off"].lookup_count) == (0, 0)
    assert found["off"].persistent_count == 0


def test_the_logs_are_of_a_conversations_means() -> None:
    first, second, silent = (stored.conversation() for _ in range(3))
    ended(first, at(1), duration_ms=100, prompt_tokens=1000, cached_tokens=1000)
    ended(first, at(2), duration_ms=300, prompt_tokens=300, cached_tokens=0)
    ended(second, at(3), duration_ms=400, prompt_tokens=50, cached_tokens=0)
    ended(second, at(4), status="stopped", duration_ms=9, prompt_tokens=9)
    ended(silent, at(5), duration_ms=700)

    found = window()

    tokens, times_ms = (math.log(200), math.log(50)), (math.log(200), math.log(400))
    assert found.log_count == 2
    assert found.log_tokens_sum == pytest.approx(sum(tokens))
    assert found.log_tokens_squares == pytest.approx(sum(x * x for x in tokens))
    assert found.log_latency_sum == pytest.approx(sum(times_ms))
    assert found.log_latency_squares == pytest.approx(sum(x * x for x in times_ms))


def test_assigned_are_conversations_drawn_at_their_first_turn_when_that_began() -> None:
    drawn, before, later = (stored.conversation() for _ in range(3))
    ended(drawn, at(31), took_s=2)
    ended(drawn, at(40), took_s=2)
    ended(before, at(-100))
    ended(before, at(5))
    ended(later, at(5), variant_reason="STATIC")

    found = windows(2)

    assert [each["on"].assigned_count for each in found] == [1, 0]
    assert [each["on"].conversation_count for each in found] == [1, 1]


def test_who_was_never_drawn_is_in_no_arm() -> None:
    there, drawn = stored.conversation(), stored.conversation()
    ended(there, at(-9000), variant="off", variant_reason="STATIC")
    ended(there, at(5), variant="off", variant_reason="DEFAULT")
    ended(drawn, at(-9000), variant="off")
    ended(drawn, at(6), variant="off", variant_reason="DEFAULT")

    found = both()["off"]

    assert (found.conversation_count, found.turn_count) == (1, 1)


def test_nobody_can_rate_an_answer_yet() -> None:
    ended(stored.conversation(), at(1))

    assert (window().rated_count, window().disliked_count) == (0, 0)


def test_the_last_of_several_windows_may_pass_the_end() -> None:
    ended(stored.conversation(), at(50))

    found = ChatObservations().windows(NOON, NOON + 1.5 * STEP, step_s=STEP_S, **LIMITS)

    assert [each["on"].turn_count for each in found] == [0, 1]
