"""History as the recorder leaves it, for reports to read."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from monitoring.history import HOUR, hour_of, minute_of, state
from monitoring.history.summary import Summary
from monitoring.models import Point

# Of late: minutes are kept for a week.
DAY = hour_of(timezone.now()).replace(hour=0) - timedelta(days=2)
Put = Callable[..., None]


@pytest.fixture
def put(db: None) -> Put:
    """Record values of a series at a moment, as minutes and as their hours."""
    kept: dict[tuple[str, str, datetime], list[float]] = defaultdict(list)

    def _put(name: str, at: datetime, values: Iterable[float], label: str = "") -> None:
        kept[name, label, minute_of(at)] += values
        _write(
            name,
            label,
            Point.Step.MINUTE,
            minute_of(at),
            kept[name, label, minute_of(at)],
        )
        hour = hour_of(at)
        merged = [
            value
            for (of, its, begin), found in kept.items()
            for value in found
            if (of, its) == (name, label) and hour <= begin < hour + HOUR
        ]
        _write(name, label, Point.Step.HOUR, hour, merged)

    return _put


@pytest.fixture
def pulse(put: Put) -> Callable[[datetime, int], None]:
    """Take notes for so many minutes, as the recorder does whatever happens."""

    def _pulse(begin: datetime, minutes: int) -> None:
        for minute in range(minutes):
            put(
                "memory_percent", begin + timedelta(minutes=minute), [40.0 + minute % 5]
            )

    return _pulse


@pytest.fixture
def recorded(db: None) -> Callable[[datetime], None]:
    """Say that all before a moment is recorded; at first, all up to now."""

    def _recorded(until: datetime) -> None:
        state.put(until=until)

    _recorded(timezone.now())
    return _recorded


def _write(
    name: str, label: str, step: Point.Step, begin: datetime, values: list[float]
) -> None:
    found = Summary.of(values, has_spread=name.endswith("_ms"))
    Point.objects.update_or_create(
        step_s=step,
        begin=begin,
        name=name,
        label=label,
        defaults={
            "count": found.count,
            "total": found.total,
            "low": found.low,
            "high": found.high,
            "sketch": found.spread and [list(run) for run in found.spread.runs],
        },
    )
