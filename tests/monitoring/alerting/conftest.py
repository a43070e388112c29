"""Rules and metrics that a test can turn as it likes."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring import registry
from monitoring.alerting import engine
from monitoring.models import Alert, AlertRule
from monitoring.registry import Metric, Reading

BEGIN = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Dial:
    """A metric that reads what it was set to; by label, or as a whole."""

    def __init__(self) -> None:
        self.readings: Sequence[Reading] = []
        self.by_window: dict[int, Sequence[Reading]] = {}
        self.windows: list[int] = []
        self.trouble: Callable[[], object] = lambda: None

    def set(self, value: float | None, *, samples: int = 100) -> None:
        self.readings = [Reading(value, samples)]

    def set_parts(self, **values: float | None) -> None:
        self.readings = [Reading(value, 100, label) for label, value in values.items()]

    def read(self, window: timedelta) -> Sequence[Reading]:
        window_s = int(window.total_seconds())
        self.windows.append(window_s)
        self.trouble()
        return self.by_window.get(window_s, self.readings)


class Clock:
    """Evaluates at seconds since the begin."""

    def at(self, second: int) -> int:
        return engine.evaluate(BEGIN + timedelta(seconds=second))


@pytest.fixture
def no_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_metrics", {})


@pytest.fixture
def new_dial(no_metrics: None) -> Callable[[str], Dial]:
    """Make a metric of this name; there are no others."""
    del no_metrics

    def make(name: str) -> Dial:
        dial = Dial()
        registry.register_metric(
            Metric(
                name=name, unit="u", help="A test.", read=dial.read, labels=lambda: "ab"
            )
        )
        return dial

    return make


@pytest.fixture
def dial(new_dial: Callable[[str], Dial]) -> Dial:
    return new_dial("dial")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_rule(db: None) -> Callable[..., AlertRule]:
    """Make a rule; those of a new site are gone."""
    del db
    AlertRule.objects.all().delete()

    def make(name: str = "high", **columns: Any) -> AlertRule:
        given: dict[str, Any] = {
            "summary": "It is high.",
            "metric": "dial",
            "window_s": 60,
            "threshold": 10,
        }
        return AlertRule.objects.create(name=name, **given | columns)

    return make


def only() -> Alert:
    """Return the one alert that there is."""
    return Alert.objects.get()
