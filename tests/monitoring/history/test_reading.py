"""What is read of a window is what its turns' own rows say."""

from datetime import datetime, timedelta
from random import Random
from statistics import fmean
from typing import Any

import pytest
from django.utils import timezone

from chat.models import Generation
from monitoring import facts
from monitoring.facts import percentile
from monitoring.history import minute_of, reading, recording
from monitoring.history.summary import Summary
from monitoring.models import Point
from tests.monitoring.history import turns
from tests.monitoring.history.turns import NOW, Window, ago

pytestmark = pytest.mark.django_db
WINDOWS = [
    (timedelta(minutes=10), timedelta()),
    (timedelta(hours=1), timedelta()),
    (timedelta(hours=1), timedelta(hours=5, minutes=17)),
    (timedelta(hours=7), timedelta(minutes=3)),
    (timedelta(days=1), timedelta()),
    (timedelta(days=2), timedelta(hours=3, minutes=41)),
    (timedelta(days=3), timedelta()),
]
SERIES: list[tuple[str, str, dict[str, Any]]] = [
    ("turn_ms", "duration_ms", {"variant": "on"}),
    ("turn_ms", "duration_ms", {"variant": "off"}),
    ("turn_ms", "duration_ms", {}),
    ("first_text_ms", "time_to_first_token_ms", {"variant": "off"}),
    ("session_recovered_ms", "session_ms", {"session_outcome": "recovered"}),
]


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def history() -> None:
    """Record 250 turns of three days."""
    turns.put(*turns.at_random(Random(20_261_126), 250, within=timedelta(days=3)))
    turns.record_all()


def span(length: timedelta, before: timedelta) -> Window:
    """Return a window of whole minutes; the last one is the present minute."""
    end = minute_of(NOW) + timedelta(minutes=1) - before
    return Window(begin=end - length, end=end)


def exact(column: str, begin: datetime, end: datetime, **which: Any) -> list[float]:
    """Return the values that the rows have, in order."""
    rows = Generation.objects.filter(created_at__gte=begin, created_at__lt=end)
    known = rows.filter(**which, **{f"{column}__isnull": False})
    return sorted(known.values_list(column, flat=True))


def test_sums_are_exact_and_percentiles_within_1_percent() -> None:
    turns.put(*turns.at_random(Random(1), 1500, within=timedelta(days=3)))
    turns.record_all()

    for length, before in WINDOWS:
        window = span(length, before)
        for name, column, which in SERIES:
            found = reading.summary(name, **window, label=which.get("variant"))
            _compare(found, exact(column, **window, **which))


def _compare(found: Summary, values: list[float]) -> None:
    assert found.count == len(values)
    assert found.total == pytest.approx(sum(values))
    assert found.low == min(values, default=None)
    assert found.high == max(values, default=None)
    if values:
        assert found.avg == pytest.approx(fmean(values))
        for share in (0.5, 0.95, 0.99):
            near = percentile(values, share)
            assert found.percentile(share) == pytest.approx(near, rel=0.01 + 1e-9)


@pytest.mark.usefixtures("history")
def test_each_label_is_read_by_itself_and_all_together() -> None:
    window = span(timedelta(days=2), timedelta())

    each = reading.by_label("turn_ms", **window)

    assert list(each) == ["none", "off", "on"]
    assert each["off"] == reading.summary("turn_ms", **window, label="off")
    assert Summary.merged(each.values()) == reading.summary("turn_ms", **window)


@pytest.mark.usefixtures("history")
def test_without_its_spread_it_is_the_same_but_for_percentiles() -> None:
    window = span(timedelta(days=2), timedelta())

    found = reading.summary("turn_ms", **window, has_spread=False)

    whole = reading.summary("turn_ms", **window)
    assert (found.count, found.low, found.high) == (whole.count, whole.low, whole.high)
    assert found.total == pytest.approx(whole.total)
    assert found.p95 is None


def test_of_nothing_everything_is_none() -> None:
    window = span(timedelta(days=30), timedelta())

    found = reading.summary("turn_ms", **window)

    assert found == Summary()
    assert (found.avg, found.low, found.high, found.p50, found.p95) == (None,) * 5
    assert reading.by_label("turn_ms", **window) == {}


def test_where_minutes_are_forgotten_windows_still_share_nothing() -> None:
    turns.put(*({"created_at": ago(days=20, minutes=m)} for m in range(0, 180, 7)))
    turns.record_all()
    Point.objects.filter(step_s=60).delete()

    middle = ago(days=20, minutes=77)
    parts = [
        reading.summary("turns", begin=begin, end=end).count
        for begin, end in ((ago(days=21), middle), (middle, NOW))
    ]

    assert sum(parts) == len(range(0, 180, 7))
    assert min(parts) > 0


def test_nobody_needs_to_know_of_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_source", [])

    recording.record(NOW)

    found = reading.summary("memory_percent", begin=ago(hours=1), end=ago(hours=-1))
    assert found.count == 1
