"""Metrics that fail or hang, rules that are gone, many parts, two processes."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring import leases, registry
from monitoring.alerting import engine, judging, measuring, steps, storing
from monitoring.alerting.judging import MAX_LABELS, OTHERS
from monitoring.alerting.measuring import Wanted
from monitoring.models import Alert, AlertRule, Lease, Watch
from monitoring.registry import Reading
from tests.monitoring.alerting.conftest import BEGIN, Clock, Dial, only

NewRule = Callable[..., AlertRule]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("trouble", [ValueError("no"), ZeroDivisionError()])
def test_a_metric_that_raises_freezes_its_alert_and_stops_no_other(
    trouble: Exception,
    new_dial: Callable[[str], Dial],
    new_rule: NewRule,
    clock: Clock,
) -> None:
    bad, good = new_dial("bad"), new_dial("good")
    new_rule("bad", metric="bad")
    new_rule("good", metric="good")
    bad.set(11)
    clock.at(0)

    def fail() -> None:
        raise trouble

    bad.trouble = fail
    good.set(11)
    clock.at(30)

    found = {alert.name: alert for alert in Alert.objects.all()}
    assert found["bad"].frozen_since == BEGIN + timedelta(seconds=30)
    assert found["good"].state == "firing"


def test_a_metric_that_hangs_stops_no_other_and_is_not_asked_again(
    new_dial: Callable[[str], Dial],
    new_rule: NewRule,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Event()
    a_hanging, good = new_dial("a_hanging"), new_dial("good")
    new_rule("hanging", metric="a_hanging")
    new_rule("good", metric="good")
    a_hanging.trouble = lambda: gate.wait(30)
    good.set(11)
    monkeypatch.setattr(measuring.read, "__kwdefaults__", {"patience_s": 0.5})
    try:
        began = time.monotonic()
        clock.at(0)
        clock.at(30)
        took_s = time.monotonic() - began
    finally:
        gate.set()

    assert only().name == "good"
    assert len(a_hanging.windows) == 1
    assert took_s < 20  # it hangs for 30 s


def test_a_metric_that_hung_is_asked_again_once_it_has_answered(
    dial: Dial, new_rule: NewRule, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    new_rule()
    dial.set(11)
    dial.trouble = lambda: gate.wait(30)
    monkeypatch.setattr(measuring.read, "__kwdefaults__", {"patience_s": 0.5})
    clock.at(0)
    gate.set()
    measuring._stuck["dial"].join(5)

    clock.at(30)

    assert only().state == "firing"


def test_a_rule_whose_metric_nobody_offers_stops_no_other_and_ends_nothing(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    broken = new_rule("broken")
    new_rule("good")
    dial.set(11)
    clock.at(0)
    AlertRule.objects.filter(pk=broken.pk).update(metric="of_a_newer_release")
    dial.set(9)
    clock.at(30)

    found = {alert.name: alert for alert in Alert.objects.all()}
    assert (found["broken"].state, found["good"].state) == ("firing", "resolved")
    assert found["broken"].frozen_since is not None


def test_a_rule_that_is_switched_off_ends_its_alerts_and_says_why(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    rule = new_rule()
    new_rule("waiting", for_s=600)
    dial.set(11)
    clock.at(0)

    AlertRule.objects.update(is_enabled=False)
    clock.at(30)

    ended = only()
    assert (ended.rule, ended.state) == (rule, "resolved")
    assert ended.summary == "It is high: no longer watched."


def test_a_setting_switches_a_rule_off_and_one_that_fails_does_not(
    dial: Dial, new_rule: NewRule, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise ValueError

    monkeypatch.setattr(registry, "_switches", {"OFF": lambda: False, "BAD": fail})
    new_rule("off", switch="OFF")
    new_rule("bad", switch="BAD")
    new_rule("gone", switch="OF_A_NEWER_RELEASE")
    dial.set(11)

    clock.at(0)

    assert {alert.name for alert in Alert.objects.all()} == {"bad", "gone"}


def test_a_severity_that_was_edited_holds_for_the_open_alert(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule(severity="warning")
    dial.set(11)
    clock.at(0)

    AlertRule.objects.update(severity="info")
    clock.at(30)

    assert only().severity == "info"


def test_what_people_did_meanwhile_is_not_written_over(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule()
    dial.set(11)
    clock.at(0)

    dial.set(12)
    Alert.objects.update(acknowledged_by="olga", acknowledged_at=BEGIN)
    clock.at(30)

    assert (only().value, only().acknowledged_by) == (12, "olga")


def test_an_alert_raised_by_hand_under_the_same_name_stays_the_only_one(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule("high")
    Alert.objects.create(
        name="high", severity="info", summary="By hand.", state="firing"
    )
    dial.set(11)

    clock.at(0)

    assert only().summary == "By hand."


def test_only_one_process_does_it_at_a_time(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule()
    dial.set(11)
    leases.hold(engine.LEASE, holder="elsewhere:boot:1:1", ttl_s=60, now=BEGIN)

    assert clock.at(10) == 0
    assert not Watch.objects.exists()
    assert clock.at(61) == 1
    assert not Lease.objects.filter(pk=engine.LEASE).exists()


def test_its_queries_do_not_grow_with_open_alerts(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule()
    counts = []
    for hour, count in ((0, 1), (1, MAX_LABELS)):
        dial.set_parts(**{f"part{number}": 11 for number in range(count)})
        clock.at(hour * 3600)
        clock.at(hour * 3600 + 60)  # people have been told
        dial.set_parts(**{f"part{number}": 12 for number in range(count)})
        with CaptureQueriesContext(connection) as queries:
            clock.at(hour * 3600 + 120)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 16


def test_ten_thousand_parts_are_a_hundred_alerts_and_one(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    new_rule()
    dial.set_parts(**{f"part{number:05}": 11 for number in range(10_000)})

    with CaptureQueriesContext(connection) as queries:
        clock.at(0)
        clock.at(30)

    assert len(queries) < 100
    assert Alert.objects.count() == MAX_LABELS + 1
    together = Alert.objects.get(label=OTHERS)
    assert together.summary == "It is high: others, 9,900 more parts."
    dial.set_parts(**{f"part{number:05}": 9 for number in range(10_000)})
    clock.at(60)
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_what_a_person_ends_while_the_metrics_are_read_stays_ended(
    dial: Dial, new_rule: NewRule, clock: Clock
) -> None:
    rule = new_rule()
    dial.set_parts(a=11, b=11)
    clock.at(0)
    dial.set_parts(a=None, b=11)
    clock.at(30)
    read = {alert.label: alert for alert in Alert.objects.all()}
    steps.resolve(steps.find(read["a"].pk), actor="anna", now=BEGIN)

    readings = {Wanted("dial", 60): [Reading(12, 1, "a"), Reading(9, 1, "b")]}
    storing.store(judging.judge(rule, read, readings, BEGIN + timedelta(minutes=1)))

    found = {alert.label: alert for alert in Alert.objects.all()}
    assert (found["a"].state, found["a"].resolved_at) == ("resolved", BEGIN)
    assert found["b"].state == "resolved"
