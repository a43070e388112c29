"""A critical alert opens an incident once; others join it, people open their own."""

from datetime import UTC, datetime, timedelta
from datetime import timezone as dt_timezone

import pytest
from django.utils import timezone

from monitoring import incidents
from monitoring.errors import InvalidWords
from monitoring.models import Incident
from tests.monitoring.responding import making

pytestmark = pytest.mark.django_db


def test_a_critical_alert_that_fires_opens_one() -> None:
    alert = making.alert()

    incident = incidents.open_for(alert)

    assert incident is not None
    assert incident.title == "More than 10 % of the turns fail."
    assert incident.status == "investigating"
    assert incident.started_at == alert.began_at
    assert incident.detected_at == alert.fired_at
    assert making.entries(incident) == [
        (
            "alert",
            "Opened by the alert error_rate.",
            "alert error_rate",
        )
    ]


def test_the_same_alert_opens_it_once() -> None:
    alert = making.alert()

    first, second = incidents.open_for(alert), incidents.open_for(alert)

    assert first == second
    assert first is not None
    assert Incident.objects.count() == 1
    assert len(making.entries(first)) == 1


def test_it_does_not_open_again_after_a_person_has_resolved_it() -> None:
    alert = making.alert()
    first = incidents.open_for(alert)
    assert first is not None
    incidents.resolve(first.pk, actor="alice")

    again = incidents.open_for(alert)

    assert again == first
    assert Incident.objects.count() == 1


@pytest.mark.parametrize("severity", ["info", "warning"])
def test_an_alert_that_is_not_critical_opens_none(severity: str) -> None:
    assert incidents.open_for(making.alert(severity=severity)) is None
    assert not Incident.objects.exists()


def test_an_alert_that_is_pending_opens_none() -> None:
    alert = making.alert(state="pending", fired_at=None)

    assert incidents.open_for(alert) is None


def test_a_second_alert_joins_the_open_incident() -> None:
    first = incidents.open_for(making.alert())
    assert first is not None

    joined = incidents.open_for(making.alert("database_down", summary="It is down."))

    assert joined == first
    kinds = [(kind, text) for kind, text, _ in making.entries(first)]
    assert kinds[1] == ("alert", "The alert database_down joined.")


def test_an_alert_joins_what_a_person_opened_before() -> None:
    by_hand = making.opened()

    assert incidents.open_for(making.alert()) == by_hand


def test_after_the_end_of_one_the_next_alert_opens_another() -> None:
    incidents.resolve(making.opened().pk, actor="alice")

    another = incidents.open_for(making.alert())

    assert another is not None
    assert Incident.objects.count() == 2


def test_a_long_summary_is_cut_to_a_title() -> None:
    incident = incidents.open_for(making.alert(summary="word " * 100))

    assert incident is not None
    assert len(incident.title) == 200
    assert incident.title.endswith("…")


def test_one_that_is_opened_by_hand_says_who_and_since_when() -> None:
    began = timezone.now() - timedelta(hours=1)

    incident = incidents.open_by_hand(
        "  Slow\nanswers ",
        severity="warning",
        impact="They wait.",
        actor="alice",
        started_at=began,
    )

    assert incident.title == "Slow answers"
    assert (incident.opened_by, incident.started_at) == ("alice", began)
    assert incident.detected_at > began
    assert making.entries(incident) == [("status", "Opened by hand.", "alice")]


@pytest.mark.parametrize(
    ("title", "severity", "words"),
    [
        ("  ", "critical", "title is empty"),
        ("x" * 201, "critical", "at most 200"),
        ("Slow", "bad", "expected info, warning, critical"),
    ],
)
def test_bad_input_is_named(title: str, severity: str, words: str) -> None:
    with pytest.raises(InvalidWords, match=words):
        incidents.open_by_hand(title, severity=severity, impact="", actor="alice")

    assert not Incident.objects.exists()


def test_it_cannot_have_begun_in_the_future() -> None:
    tomorrow = timezone.now() + timedelta(days=1)

    with pytest.raises(InvalidWords, match="that is to come"):
        incidents.open_by_hand(
            "Slow", severity="info", impact="", actor="alice", started_at=tomorrow
        )


def test_a_mild_incident_that_a_critical_alert_joins_is_critical() -> None:
    mild = incidents.open_by_hand("Slow", severity="info", impact="", actor="alice")

    joined = incidents.open_for(making.alert())

    assert joined == mild
    mild.refresh_from_db()
    assert mild.severity == "critical"
    assert making.entries(mild)[-1][1] == (
        "The alert error_rate joined. It is critical now."
    )


def test_a_year_that_lacks_digits_is_refused() -> None:
    first = datetime.min.replace(tzinfo=UTC)

    with pytest.raises(InvalidWords, match="expected a time since 2020"):
        incidents.open_by_hand(
            "Slow", severity="info", impact="", actor="alice", started_at=first
        )


def test_what_a_database_cannot_store_is_left_out() -> None:
    incident = making.opened("Slow\x00 ans\ud800wers", impact="a\x1b[31m\nb")

    assert (incident.title, incident.impact) == ("Slow answers", "a[31m\nb")


def test_a_begin_in_another_zone_is_named_in_utc() -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    there = tomorrow.astimezone(tz=dt_timezone(timedelta(hours=9)))

    with pytest.raises(InvalidWords, match=f"{tomorrow:%Y-%m-%d %H:%M} UTC"):
        incidents.open_by_hand(
            "x", severity="critical", impact="", actor="alice", started_at=there
        )
