"""The timeline collects by itself what happened around an incident."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flags import changes
from flags.changes import Actor
from flags.models import Change
from monitoring import incidents, notify
from monitoring.models import Alert, CheckResult, Incident, JobRun
from monitoring.responding import timeline
from monitoring.responding.timeline import Timeline
from tests.monitoring.responding import making

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def _told(incident: Incident) -> Timeline:
    return timeline.of(incident, now=timezone.now())


def _texts(incident: Incident) -> list[str]:
    return [line.text for line in _told(incident).lines]


def _running(**fields: object) -> Incident:
    """An incident that began an hour ago."""
    began = timezone.now() - 60 * MINUTE
    return making.incident(**({"started_at": began, "detected_at": began} | fields))


def test_it_tells_what_alerts_did_and_who_took_them() -> None:
    incident = _running()
    begin = incident.started_at
    making.alert(
        fired_at=begin + MINUTE,
        acknowledged_at=begin + 2 * MINUTE,
        acknowledged_by="bob",
        resolved_at=begin + 3 * MINUTE,
        state="resolved",
    )

    assert [(line.text, line.actor) for line in _told(incident).lines] == [
        ("error_rate (critical) fired: More than 10 % of the turns fail.", ""),
        ("error_rate was acknowledged.", "bob"),
        ("error_rate is over.", ""),
    ]


def test_the_words_of_an_alert_that_was_raised_again_are_not_its_first() -> None:
    incident = _running()
    for message in ("The deploy failed.", "again"):
        notify.raise_alert("deploy", severity="warning", summary=message)

    [told] = _texts(incident)

    assert (
        told == "deploy (warning) fired, raised 2 times until now, most recently: again"
    )


def test_an_alert_that_never_fired_is_not_told() -> None:
    incident = _running()
    making.alert(fired_at=None, state="resolved", resolved_at=timezone.now())

    assert _texts(incident) == []


def test_it_tells_changes_of_settings_with_their_reason() -> None:
    incident = _running()
    alice = Actor(name="alice", channel=Change.Channel.ADMIN)
    given = {"USE_PERSISTENT_SESSIONS": True, "GRADUAL_ROLLOUT_PERCENTAGE": 50}
    changes.apply(given, actor=alice, reason="Go")
    changes.apply(
        {"GRADUAL_ROLLOUT_PERCENTAGE": 25}, actor=alice, reason="Errors at Google"
    )

    last = _told(incident).lines[-1]

    assert last.text.replace("\u00a0", " ") == (
        "GRADUAL_ROLLOUT_PERCENTAGE 50 % → 25 %: Errors at Google"
    )
    assert (last.kind, last.actor) == ("setting", "alice")


def test_it_tells_when_a_check_changes_and_not_each_run() -> None:
    incident = _running()
    begin = incident.started_at
    states = ["healthy", "healthy", "degraded", "degraded", "healthy"]
    for minute, status in enumerate(states):
        CheckResult.objects.create(
            name="model",
            status=status,
            sentence=f"It is {status}.",
            took_ms=1,
            at=begin + minute * MINUTE,
        )
        CheckResult.objects.create(
            name="disk", status="healthy", sentence="", took_ms=1, at=begin
        )

    assert _texts(incident) == [
        "Check model: healthy → degraded. It is degraded.",
        "Check model: degraded → healthy. It is healthy.",
    ]


def test_a_check_that_changed_just_before_the_window_is_compared_with_the_past() -> (
    None
):
    incident = _running()
    begin = incident.started_at - timeline.BEFORE
    for at, status in ((begin - MINUTE, "healthy"), (begin + MINUTE, "unhealthy")):
        CheckResult.objects.create(
            name="disk", status=status, sentence="Full.", took_ms=1, at=at
        )

    assert _texts(incident) == ["Check disk: healthy → unhealthy. Full."]


def test_it_tells_which_jobs_failed() -> None:
    incident = _running()
    for outcome in ("failed", "done"):
        JobRun.objects.create(
            name="backup",
            slot=outcome,
            holder="x",
            outcome=outcome,
            detail="OSError",
            started_at=incident.started_at,
            ended_at=incident.started_at + MINUTE,
        )

    assert _texts(incident) == ["Job backup failed: OSError"]


def test_it_tells_which_jobs_were_killed() -> None:
    incident = _running()
    for slot, begin in (("1", incident.started_at), ("2", timezone.now())):
        JobRun.objects.create(
            name="monitoring.ping", slot=slot, holder="far:boot:1:1", started_at=begin
        )

    assert _texts(incident) == [
        "Job monitoring.ping failed: it was killed before it had ended."
    ]


def test_it_begins_half_an_hour_before_and_stops_at_the_end() -> None:
    incident = _running()
    begin = incident.started_at
    incident.status, incident.resolved_at = "resolved", begin + 10 * MINUTE
    incident.save()
    for name, at in (
        ("too_early", begin - 31 * MINUTE),
        ("before", begin - 29 * MINUTE),
        ("at_the_end", begin + 10 * MINUTE),
        ("too_late", begin + 11 * MINUTE),
    ):
        making.alert(name, fired_at=at, summary="Bad.")

    assert _texts(incident) == [
        "before (critical) fired: Bad.",
        "at_the_end (critical) fired: Bad.",
    ]


def test_what_people_wrote_later_stays() -> None:
    incident = making.opened()
    incidents.resolve(incident.pk, actor="alice")

    incidents.add_note(incident.pk, "What we learnt.", actor="bob")

    assert _told(incidents.find(incident.pk)).lines[-1].text == "What we learnt."


def test_it_shows_the_newest_and_says_how_many_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeline, "MOST", 3)
    incident = _running()
    Alert.objects.bulk_create(
        Alert(
            name=f"alert{number}",
            severity="warning",
            summary="Bad.",
            state="firing",
            fired_at=incident.started_at + number * MINUTE,
        )
        for number in range(5)
    )

    told = _told(incident)

    assert [line.text[:6] for line in told.lines] == ["alert2", "alert3", "alert4"]
    assert told.left_out == 2


def test_it_says_from_when_on_records_are_gone() -> None:
    began = timezone.now() - timedelta(days=10)
    incident = _running(started_at=began, detected_at=began)

    (line,) = _told(incident).lines

    assert line.kind == "gap"
    assert line.text.startswith("Older runs of jobs are no longer kept")
    assert line.at == pytest.approx(
        timezone.now() - timedelta(days=7), abs=timedelta(minutes=1)
    )


def test_of_an_old_incident_all_of_them_are_gone() -> None:
    began = timezone.now() - timedelta(days=40)
    ended = began + timedelta(hours=1)
    incident = _running(
        started_at=began, detected_at=began, resolved_at=ended, status="resolved"
    )

    told = _told(incident)

    assert [line.kind for line in told.lines] == ["gap", "gap"]
    assert {line.at for line in told.lines} <= {told.end, told.end + timeline._MOMENT}
