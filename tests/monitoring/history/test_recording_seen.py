"""Levels, counts, and what the switch of tracking does to the history."""

from datetime import timedelta

import pytest

from chat import registrations
from monitoring import metrics, series
from monitoring.history import reading, recording
from monitoring.models import Point, Total
from monitoring.traffic import REQUESTS
from tests.chat import stored
from tests.monitoring.history import turns
from tests.monitoring.history.turns import NOW, ago

pytestmark = pytest.mark.django_db


def requested(status: str, count: int) -> None:
    """Count requests as a web process does."""
    metrics.count(**REQUESTS.delta("/", "GET", status, by=count))


def test_levels_of_a_minute_stay_as_they_were_first_seen() -> None:
    recording.record(NOW)
    stored.registered()

    recording.record(NOW + timedelta(seconds=20))
    recording.record(NOW + timedelta(minutes=1))

    live = Point.objects.filter(name="sessions_live", step_s=60).order_by("begin")
    assert list(live.values_list("count", "total")) == [(1, 0.0), (1, 1.0)]


def test_requests_are_counted_from_total_to_total() -> None:
    requested("2xx", 1000)
    recording.record(NOW)
    requested("2xx", 3)
    requested("5xx", 1)
    recording.record(NOW + timedelta(seconds=20))
    requested("2xx", 2)
    recording.record(NOW + timedelta(minutes=1))

    found = Point.objects.filter(name="requests", step_s=60).order_by("begin", "label")

    assert list(found.values_list("label", "count")) == [
        ("2xx", 3),
        ("5xx", 1),
        ("2xx", 2),
    ]
    assert turns.counted("requests") == 6


def operations() -> dict[str, int]:
    """Return how often each session operation is in the history."""
    window = turns.Window(begin=ago(days=1), end=turns.LATER)
    found = reading.by_label("session_operations", **window)
    return {label: point.count for label, point in found.items()}


def test_every_operation_on_sessions_is_counted_from_total_to_total() -> None:
    metrics.count(sessions_hit=1000, sessions_expired=7)
    recording.record(NOW)
    metrics.count(sessions_hit=3, sessions_orphaned=1)
    recording.record(NOW + timedelta(seconds=20))
    metrics.count(sessions_hit=2)
    recording.record(NOW + timedelta(minutes=1))

    assert operations() == {"hit": 5, "orphaned": 1}


def test_sessions_that_the_chat_evicts_are_in_the_history() -> None:
    recording.record(NOW)
    for _ in range(3):
        stored.registered()
    registrations.evict(2)

    recording.record(NOW + timedelta(minutes=1))

    assert operations() == {"evicted": 2}


def test_what_was_never_looked_at_begins_with_the_first_look() -> None:
    recording.record(NOW)
    Total.objects.filter(name__startswith="history_session_operations_").delete()
    metrics.count(sessions_hit=1000)

    recording.record(NOW + timedelta(minutes=1))
    metrics.count(sessions_hit=1)
    recording.record(NOW + timedelta(minutes=2))

    assert operations() == {"hit": 1}


def test_nobody_needs_to_count_operations_on_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(series, "_declared", {})
    recording.record(NOW)
    requested("2xx", 1)

    recording.record(NOW + timedelta(minutes=1))

    assert turns.counted("requests") == 1
    assert operations() == {}


def test_a_total_that_fell_is_no_request_less() -> None:
    requested("2xx", 1)
    recording.record(NOW)
    Total.objects.filter(name__startswith=REQUESTS.name).update(value=0)

    recording.record(NOW + timedelta(minutes=1))
    requested("2xx", 4)
    recording.record(NOW + timedelta(minutes=2))

    assert turns.counted("requests") == 4


def test_while_tracking_is_off_turns_are_not_recorded_and_levels_are() -> None:
    turns.put({"created_at": ago(minutes=5)})
    recording.record(ago(minutes=4))
    stored.put(ENABLE_PERFORMANCE_TRACKING=False)
    turns.put({"created_at": ago(minutes=3)})

    recording.record(ago(minutes=2))
    stored.put(ENABLE_PERFORMANCE_TRACKING=True)
    recording.record(NOW)

    assert turns.counted("turns") == 1
    assert turns.counted("memory_percent") == 3
