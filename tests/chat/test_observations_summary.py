"""What a rollout is told of a whole phase, and whether anybody is exposed."""

import math
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.models import Generation, VariantChange
from chat.observations import ChatObservations
from tests.chat import stored
from tests.chat.observed import LIMITS, NOON, at, ended, traffic

pytestmark = pytest.mark.django_db


def test_a_phase_has_one_value_for_each_conversation() -> None:
    often, once = stored.conversation(), stored.conversation()
    for second, time_ms in ((1, 100.0), (3601, 300.0)):
        ended(
            often,
            at(second),
            duration_ms=time_ms,
            prompt_tokens=1000,
            cached_tokens=0,
            session_outcome="hit",
        )
    ended(once, at(5), duration_ms=800.0, session_outcome="recovered")
    ended(once, at(6), status="failed", error_code="GEMINI_TIMEOUT")
    ended(once, at(7), status="failed", error_code="GEMINI_TIMEOUT")

    found = ChatObservations().summary(NOON, NOON + timedelta(hours=2))["on"]

    low, high = math.log(200), math.log(800)
    assert (found.conversation_count, found.failed_count) == (2, 1)
    assert (found.turn_count, found.error_count, found.error_squares) == (5, 2, 4)
    assert (found.searched_count, found.hit_ratio_sum) == (2, 1)
    assert (found.hit_count, found.lookup_count) == (2, 3)
    assert (found.rated_count, found.disliked_count) == (0, 0)
    assert found.log_tokens.count == 1
    assert found.log_tokens.mean == pytest.approx(math.log(1000))
    assert found.log_tokens.variance is None
    assert (found.turn_count, found.error_count, found.error_squares) == (5, 2, 4)
    assert (found.searched_count, found.hit_ratio_sum) == (2, 1.0)
    assert found.log_latency.count == 2
    assert found.log_latency.mean == pytest.approx((low + high) / 2)
    assert found.log_latency.variance == pytest.approx((high - low) ** 2 / 2)


def test_a_phase_knows_none_that_changed_their_variant_until_its_end() -> None:
    before, meanwhile, later = (stored.conversation() for _ in range(3))
    for of, at_s in ((before, -99), (meanwhile, 15), (later, 61)):
        VariantChange.objects.create(
            conversation=of, old="off", new="on", reason="STATIC", created_at=at(at_s)
        )
        ended(of, at(10), variant="off")
        ended(of, at(20), variant="off")

    found = ChatObservations().summary(NOON, at(60))

    assert found["off"].conversation_count == 1
    assert found["on"].conversation_count == 0


def test_a_phase_of_any_traffic_is_as_by_hand() -> None:
    traffic(6, begin=NOON, seconds=300, turns=300)

    found = ChatObservations().summary(NOON, at(200))

    changed = set(
        VariantChange.objects.filter(created_at__lt=at(200)).values_list(
            "conversation_id", flat=True
        )
    )
    for variant in ("on", "off"):
        turns = [
            turn
            for turn in Generation.objects.filter(variant=variant).exclude(
                variant_reason="ERROR"
            )
            if turn.conversation_id not in changed
            and turn.ended_at is not None
            and NOON <= turn.ended_at < at(200)
        ]
        failed = {
            turn.conversation_id
            for turn in turns
            if turn.error_reason in {"total_deadline", "process_ended"}
        }
        people = {turn.conversation_id for turn in turns}
        assert found[variant].conversation_count == len(people) > 2
        assert found[variant].failed_count == len(failed) > 0


def test_a_phase_is_read_in_one_statement() -> None:
    traffic(7, begin=NOON, seconds=300, turns=200)

    with CaptureQueriesContext(connection) as statements:
        ChatObservations().summary(NOON, at(300))

    assert len(statements) == 1


def test_turns_are_persistent_by_how_they_were_begun() -> None:
    of = stored.conversation()
    ended(of, at(-1), strategy="history")
    last = ended(of, at(70), strategy="stateless", session_outcome="stateless")
    ended(of, at(40), variant="off", strategy="history")
    ended(of, at(80), variant="off")

    found = ChatObservations().persistent_since(NOON)

    assert found == (2, last.created_at)
    assert ChatObservations().persistent_since(at(75)) == (0, None)


def test_who_talked_before_a_rollout_is_in_none_of_its_arms() -> None:
    for variant in ("on", "off"):
        old, new = stored.conversation(), stored.conversation()
        ended(old, at(-60), variant=variant)
        ended(old, at(30), variant=variant, variant_reason="DEFAULT")
        ended(new, at(40), variant=variant)

    source = ChatObservations()
    ever, since = (
        source.summary(NOON, at(60), drawn_since=moment) for moment in (None, NOON)
    )
    [counted] = source.windows(NOON, at(60), step_s=60, **LIMITS, drawn_since=NOON)

    for variant in ("on", "off"):
        assert ever[variant].conversation_count == 2
        assert since[variant].conversation_count == 1
        assert counted[variant].conversation_count == 1
