"""The rules held against their metrics: alerts begin, freeze and end by themselves."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from monitoring import incidents, registry
from monitoring.models import Alert, AlertRule, Delivery, Incident, Watch
from tests.monitoring.alerting.conftest import BEGIN, Clock, Dial, only

NewRule = Callable[..., AlertRule]
pytestmark = pytest.mark.django_db


def test_it_fires_once_and_ends_by_itself(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule(severity="warning", runbook="docs/RUNBOOK.md#alert-high")
    dial.set(11)
    assert (clock.at(0), clock.at(30)) == (1, 0)

    fired = only()
    dial.set(9)
    count = clock.at(60)

    assert (fired.state, fired.value, fired.severity) == ("firing", 11, "warning")
    assert (fired.summary, fired.runbook) == (
        "It is high.",
        "docs/RUNBOOK.md#alert-high",
    )
    assert count == 1
    ended = only()
    assert (ended.state, ended.resolved_at) == (
        "resolved",
        BEGIN + timedelta(minutes=1),
    )


def test_it_comes_again_as_another_alert(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule()
    for second, value in ((0, 11), (30, 9), (60, 11)):
        dial.set(value)
        clock.at(second)

    states = Alert.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["resolved", "firing"]


def test_one_that_was_only_pending_leaves_nothing_behind(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule(for_s=60)
    dial.set(11)
    clock.at(0)
    assert only().state == "pending"

    dial.set(9)
    clock.at(30)

    assert not Alert.objects.exists()


def test_each_part_of_a_metric_has_an_alert_of_its_own(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule()
    dial.set_parts(a=11, b=12, c=9)
    clock.at(0)
    dial.set_parts(a=11, b=9, c=9)
    clock.at(30)

    found = {alert.label: alert for alert in Alert.objects.all()}
    assert {label: alert.state for label, alert in found.items()} == {
        "a": "firing",
        "b": "resolved",
    }
    assert found["a"].summary == "It is high: a."


def test_a_rule_for_one_part_looks_at_no_other(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule(label="b")
    dial.set_parts(a=11, b=9)
    clock.at(0)
    assert not Alert.objects.exists()

    dial.set_parts(a=11, b=11)
    clock.at(30)

    assert only().label == "b"


def test_a_part_without_a_reading_is_frozen(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule()
    dial.set_parts(a=11)
    clock.at(0)
    dial.set_parts(b=1)
    clock.at(30)

    frozen = only()
    assert (frozen.state, frozen.frozen_since) == (
        "firing",
        BEGIN + timedelta(seconds=30),
    )
    assert frozen.value == 11


def test_two_windows_are_read_and_the_short_one_ends_it(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule(window_s=3600, short_window_s=300)
    high, low = [registry.Reading(11, 100)], [registry.Reading(1, 100)]
    dial.by_window = {3600: high, 300: high}
    clock.at(0)
    assert only().state == "firing"

    dial.by_window = {3600: high, 300: low}
    clock.at(30)

    assert only().state == "resolved"


def test_a_metric_that_several_rules_watch_is_read_once(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule("one")
    new_rule("two", threshold=20)
    new_rule("three", window_s=300)
    dial.set(15)

    clock.at(0)

    assert sorted(dial.windows) == [60, 300]


def test_a_critical_one_opens_an_incident_also_when_that_failed_before(
    dial: Dial, new_rule: NewRule, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_rule(severity="critical")
    dial.set(11)

    def fail(alert: Alert) -> None:
        raise RuntimeError(alert.name)

    with monkeypatch.context() as patch:
        patch.setattr(incidents, "open_for", fail)
        clock.at(0)
    assert not Incident.objects.exists()
    clock.at(30)
    clock.at(60)

    assert Incident.objects.get().title == "It is high."


def test_people_are_told(dial: Dial, new_rule: NewRule, clock: Clock) -> None:
    new_rule(severity="critical")
    dial.set(11)
    clock.at(0)
    clock.at(30)

    (message,) = Delivery.objects.filter(channel="log")
    assert message.subject == "[CRITICAL] high: It is high."


def test_when_it_was_done_is_noted_even_if_nothing_is_wrong(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule()
    dial.set(1)

    clock.at(0)
    clock.at(30)

    assert Watch.objects.get().evaluated_at == BEGIN + timedelta(seconds=30)
