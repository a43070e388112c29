"""Alerts that other parts raise: one row and one message, however often."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from monitoring import notify
from monitoring.alerting import engine
from monitoring.alerting.judging import MAX_LABELS, OTHERS
from monitoring.channels import outbox
from monitoring.errors import InvalidWords
from monitoring.models import Alert, AlertRule, Delivery, Incident, Severity

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=1)


def _raise(name: str = "deploy-failed", **given: str) -> Alert:
    fields = {"severity": "warning", "summary": "It stopped.", **given}
    return notify.raise_alert(name, **fields)


def test_it_fires_at_once() -> None:
    alert = _raise(label="web", runbook="docs/RUNBOOK.md#logs")

    stored = Alert.objects.get()
    assert stored == alert
    assert (stored.state, stored.severity) == ("firing", "warning")
    assert (stored.label, stored.event_count) == ("web", 1)
    assert stored.fired_at is not None


def test_a_thousand_of_the_same_are_one_row_and_one_message() -> None:
    for _ in range(1000):
        _raise()
    outbox.announce(timezone.now() + LATER)
    _raise()
    outbox.announce(timezone.now() + LATER)

    assert Alert.objects.get().event_count == 1001
    assert Delivery.objects.get().text.count("deploy-failed") == 1


def test_the_thousandth_costs_as_much_as_the_second(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    _raise()
    with django_assert_num_queries(2):
        _raise()
    Alert.objects.update(event_count=1000)

    with django_assert_num_queries(2):
        _raise()


def test_the_newest_words_are_kept() -> None:
    _raise(summary="It stopped.")

    assert _raise(summary="It stopped at step 3.").summary == "It stopped at step 3."


def test_a_thousand_labels_are_a_hundred_alerts_and_one_for_the_others() -> None:
    for number in range(1000):
        _raise(label=f"part-{number}")

    assert Alert.objects.count() == MAX_LABELS + 1
    assert Alert.objects.get(label=OTHERS).event_count == 900


def test_another_label_is_another_alert_and_an_ended_one_is_no_hindrance() -> None:
    first = _raise(label="a")
    notify.resolve_alert("deploy-failed", label="a")

    again, other = _raise(label="a"), _raise(label="b")

    assert len({first.pk, again.pk, other.pk}) == 3
    assert again.event_count == 1


def test_what_becomes_more_severe_is_told_again() -> None:
    alert = _raise()
    now = timezone.now() + LATER
    outbox.announce(now)
    Alert.objects.update(acknowledged_at=now, acknowledged_by="alice")

    worse = _raise(severity="critical")

    assert worse.pk == alert.pk
    assert worse.severity == Severity.CRITICAL
    assert outbox.announce(now + LATER) == 1
    assert Delivery.objects.latest("pk").severity == "critical"
    assert Incident.objects.count() == 1


def test_what_becomes_milder_stays_as_severe_as_it_was() -> None:
    _raise(severity="critical")

    assert _raise(severity="info").severity == "critical"


def test_a_critical_one_opens_an_incident_once() -> None:
    _raise(severity="critical")
    _raise(severity="critical")

    assert Incident.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_incident_that_cannot_be_opened_keeps_no_alert_back() -> None:
    _rename("monitoring_incident", "away")
    try:
        alert = _raise(severity="critical")
    finally:
        _rename("away", "monitoring_incident")
    assert Alert.objects.get() == alert

    engine.evaluate(timezone.now())

    assert Incident.objects.get().alert == alert


def _rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")


def test_it_ends_when_somebody_says_so() -> None:
    _raise()

    assert notify.resolve_alert("deploy-failed")
    assert not notify.resolve_alert("deploy-failed")
    alert = Alert.objects.get()
    assert alert.state == "resolved"
    assert alert.resolved_at is not None


def test_what_a_rule_watches_ends_by_itself() -> None:
    alert = _raise()
    rule = AlertRule.objects.create(name="x", metric="y", window_s=60, threshold=1)
    Alert.objects.filter(pk=alert.pk).update(rule=rule)

    assert not notify.resolve_alert("deploy-failed")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"name": "two words"}, "two words"),
        ({"name": ""}, "1 to 64"),
        ({"severity": "fatal"}, "info, warning, critical"),
        ({"summary": "  "}, "empty"),
    ],
)
def test_what_cannot_be_raised_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidWords, match=named):
        _raise(**given)
    assert not Alert.objects.exists()


def test_a_secret_in_the_words_is_not_kept() -> None:
    _raise(summary="failed with password=hunter-canary", label="token=hunter-canary")

    outbox.announce(timezone.now() + LATER)

    kept = [*Alert.objects.values_list("summary", "label")[0]]
    delivery = Delivery.objects.get()
    kept += [delivery.subject, delivery.text, str(delivery.payload)]
    assert "canary" not in "".join(kept)


def test_a_broadcast_goes_to_whoever_hears_of_its_severity() -> None:
    count = notify.broadcast(
        "Over", "All is well.", severity="info", payload={"kind": "letter"}
    )

    delivery = Delivery.objects.get()
    assert count == 1
    assert (delivery.channel, delivery.subject) == ("log", "Over")
    assert delivery.payload["kind"] == "letter"


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_what_is_no_number_keeps_no_broadcast_back(odd: float) -> None:
    payload = {"kind": "letter", "values": [odd, 0.5], "deep": {"value": odd}}

    notify.broadcast("Over", "All is well.", severity="info", payload=payload)

    kept = Delivery.objects.get().payload
    assert (kept["values"], kept["deep"]) == ([None, 0.5], {"value": None})


def test_a_broadcast_of_no_known_severity_is_refused() -> None:
    with pytest.raises(InvalidWords, match="loud"):
        notify.broadcast("A", "B", severity="loud", payload={})
