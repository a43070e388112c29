"""What each turn leaves for monitoring's history."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chat import measurements
from chat.models import Generation
from tests.chat import stored

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MINUTE = timedelta(minutes=1)


def turn(**fields: Any) -> Generation:
    """Add a turn that has ended, unless it says else."""
    answer = stored.turn(stored.conversation())
    answer.generations.all().delete()
    return stored.attempt(answer, **{"created_at": NOW} | fields)


def measured(*names: str) -> set[tuple[str, str, float]]:
    """Return what was measured in the minute after `NOW`; of these series, or all."""
    found = measurements.measured(NOW, NOW + MINUTE)
    return {
        (each.name, each.label, each.value)
        for each in found
        if each.name in names or not names
    }


def test_an_untimed_turn_leaves_no_more_than_that_it_was() -> None:
    turn(status="stopped")

    assert measured() == {("turns", "stopped", 1)}


def test_a_turn_that_failed_is_timed_and_tells_its_error() -> None:
    turn(duration_ms=5.0, variant="on", error_code="GEMINI_TIMEOUT", status="failed")

    assert measured() == {
        ("turns", "failed", 1),
        ("turn_ms", "on", 5.0),
        ("errors", "GEMINI_TIMEOUT", 1),
    }


def test_a_turn_belongs_to_the_window_it_began_in_once_it_has_ended() -> None:
    turn(created_at=NOW - MINUTE)
    turn(created_at=NOW + MINUTE)
    turn(status="running")

    assert measured() == set()


def test_a_session_counts_as_found_in_the_treatment_only() -> None:
    turn(variant="on", session_outcome="hit", session_ms=1.0)
    turn(variant="off", session_outcome="created", session_ms=2.0)
    turn(variant="on", session_outcome="created", session_ms=3.0)

    assert measured("session_found", "session_created_ms") == {
        ("session_found", "hit", 1),
        ("session_found", "created", 1),
        ("session_created_ms", "", 2.0),
        ("session_created_ms", "", 3.0),
    }


def test_tokens_that_were_not_reported_are_not_0() -> None:
    turn(prompt_tokens=100, output_tokens=7)

    names = {name for name, _, _ in measured()}

    assert names == {"turns", "prompt_tokens", "output_tokens"}


def test_the_oldest_turn_that_runs_is_known() -> None:
    turn(created_at=NOW - 9 * MINUTE)
    none_yet = measurements.running_since()
    turn(created_at=NOW - 2 * MINUTE, status="running")
    turn(created_at=NOW - 3 * MINUTE, status="running")

    assert none_yet is None
    assert measurements.running_since() == NOW - 3 * MINUTE
