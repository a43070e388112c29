"""The pages of alerts: who may see them, who may act, and what they say."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from monitoring.models import Alert, AlertRule, Silence, Watch
from tests.monitoring.alerting import staff
from tests.monitoring.conftest import SignIn

pytestmark = pytest.mark.django_db
ALERTS = "/admin/monitoring/alert/"
SILENCES = f"{ALERTS}silences/"
RULES = "/admin/monitoring/alertrule/"


def _alert(rule: str = "high-error-rate", **columns: Any) -> Alert:
    found = AlertRule.objects.filter(name=rule).first()
    given = {
        "rule": found,
        "name": rule,
        "severity": "critical",
        "summary": "Too many turns failed.",
        "state": "firing",
        "value": 0.123,
        "runbook": f"docs/RUNBOOK.md#alert-{rule}",
    }
    return Alert.objects.create(**given | columns)


def test_nobody_without_the_right_sees_them(sign_in: SignIn) -> None:
    alert = _alert()
    nobody = sign_in("sam")

    for path in (ALERTS, SILENCES, f"{ALERTS}{alert.pk}/"):
        assert nobody.get(path).status_code == 403
        assert Client().get(path).status_code == 302


def test_a_viewer_looks_and_does_nothing(viewer: Client) -> None:
    alert = _alert()
    silence = Silence.objects.create(
        ends_at=timezone.now() + timedelta(hours=1), reason="Known.", created_by="olga"
    )

    for path in (ALERTS, SILENCES, f"{ALERTS}{alert.pk}/"):
        shown = viewer.get(path)
        assert shown.status_code == 200
        main = shown.content.decode().partition('id="content"')[2]
        assert "<form" not in main
    for path in (
        f"{ALERTS}{alert.pk}/acknowledge/",
        f"{ALERTS}{alert.pk}/resolve/",
        f"{ALERTS}{alert.pk}/silence/",
        f"{SILENCES}new/",
        f"{SILENCES}{silence.pk}/end/",
    ):
        assert viewer.post(path).status_code == 403
    assert Alert.objects.get().acknowledged_at is None


def test_an_open_alert_is_told_with_units_and_marks(viewer: Client) -> None:
    now = timezone.now()
    _alert(frozen_since=now, acknowledged_at=now, acknowledged_by="olga")
    Silence.objects.create(
        starts_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(hours=1),
        reason="Known.",
        created_by="olga",
    )

    words = staff.words(viewer.get(ALERTS))

    assert "12.3\u00a0%" in words or "12.3 %" in words
    assert re.search(r"above 10.% for 1 minute", words)
    for mark in ("firing", "critical", "frozen", "acknowledged", "silenced"):
        assert mark in words


def test_a_broken_rule_is_shown_as_one(viewer: Client, operator: Client) -> None:
    AlertRule.objects.filter(name="high-error-rate").update(metric="newer_metric")
    alert = _alert()

    assert "broken rule" in staff.words(viewer.get(ALERTS))
    assert "Nobody offers the metric newer_metric" in staff.words(
        viewer.get(f"{ALERTS}{alert.pk}/")
    )
    assert "broken: nobody offers its metric" in staff.words(operator.get(RULES))


def test_what_is_over_is_listed_page_by_page(viewer: Client) -> None:
    now = timezone.now()
    for number in range(30):
        _alert(
            "over",
            label=f"part{number}",
            state="resolved",
            resolved_at=now - timedelta(hours=number),
        )
    _alert("long-over", state="resolved", resolved_at=now - timedelta(days=31))

    first, second = viewer.get(ALERTS), viewer.get(f"{ALERTS}?page=2")

    assert "30 over within the last 30 days" in staff.words(first)
    assert "part0" in staff.words(first)
    assert "part29" in staff.words(second)
    assert "long-over" not in staff.words(first) + staff.words(second)


def test_an_alert_that_is_not_there_is_not_found(viewer: Client) -> None:
    assert viewer.get(f"{ALERTS}4711/").status_code == 404


def test_acknowledging_is_recorded_and_done_once(operator: Client) -> None:
    alert = _alert()
    path = f"{ALERTS}{alert.pk}/acknowledge/"

    first = operator.post(path, follow=True)
    second = operator.post(path, follow=True)

    assert Alert.objects.get().acknowledged_by == "alice"
    assert "nobody is told of it again until it is over." in staff.words(first)
    assert "It was acknowledged by alice already." in staff.words(second)
    assert LogEntry.objects.count() == 1


def test_coming_by_changes_nothing(operator: Client) -> None:
    alert = _alert()

    for step in ("acknowledge", "resolve"):
        assert operator.get(f"{ALERTS}{alert.pk}/{step}/").status_code == 302

    assert Alert.objects.get().acknowledged_at is None


def test_what_a_rule_ends_is_not_resolved_by_hand(operator: Client) -> None:
    alert, by_hand = _alert(), _alert("by-hand")

    refused = operator.post(f"{ALERTS}{alert.pk}/resolve/", follow=True)
    operator.post(f"{ALERTS}{by_hand.pk}/resolve/")

    assert "Its rule ends it by itself" in staff.words(refused)
    states = dict(Alert.objects.values_list("name", "state"))
    assert states == {"high-error-rate": "firing", "by-hand": "resolved"}


def test_who_resolves_by_hand_is_asked_once_more(operator: Client) -> None:
    alert = _alert("by-hand", notified_at=timezone.now())
    path = f"{ALERTS}{alert.pk}/resolve/"

    page = operator.get(f"{ALERTS}{alert.pk}/").content.decode()
    asked = operator.get(path)

    assert f'<a class="control-button control-quiet" href="{path}">' in page
    assert "who was told of it hears so. That can't be taken back" in staff.words(asked)
    assert Alert.objects.get().state == "firing"


def test_an_alert_is_silenced_for_its_part_or_for_all(operator: Client) -> None:
    alert = _alert("check-unhealthy", label="disk")
    path = f"{ALERTS}{alert.pk}/silence/"

    operator.post(path, {"length": "4", "reason": "A disk is on its way."})
    operator.post(path, {"length": "1", "reason": "Known.", "is_for_all": "on"})

    part, whole = Silence.objects.order_by("pk")
    assert (part.name, part.label) == ("check-unhealthy", "disk")
    assert part.ends_at - part.starts_at == timedelta(hours=4)
    assert (whole.name, whole.label) == ("check-unhealthy", "")
    assert part.created_by == "alice"


def test_what_is_wrong_is_said_to_be_marked_below(operator: Client) -> None:
    refused = operator.post(f"{SILENCES}new/", {"length": "1"})

    assert "Please mend what is marked below." in staff.words(refused)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"length": "1"}, "Say why: others see it beside the alert."),
        ({"length": "own", "reason": "Known."}, "A silence needs an end"),
        (
            {"length": "own", "reason": "Known.", "ends_at": "2020-01-01T00:00"},
            "A silence can't end at 2020-01-01 00:00 UTC",
        ),
        ({"length": "forever", "reason": "Known."}, "not one of the available choices"),
        ({"length": "own", "reason": "Known.", "ends_at": "soon"}, "valid date/time"),
    ],
)
def test_a_silence_that_is_none_is_refused_inwords(
    operator: Client, given: dict[str, str], words: str
) -> None:
    shown = operator.post(f"{SILENCES}new/", given)

    assert shown.status_code == 200
    assert words in staff.words(shown)
    assert not Silence.objects.exists()


def test_a_silence_of_a_name_is_ended_from_the_list(operator: Client) -> None:
    given = {"name": "low-hit-ratio", "label": "", "length": "24", "reason": "Known."}
    operator.post(f"{SILENCES}new/", given)
    silence = Silence.objects.get()
    assert "low-hit-ratio" in staff.words(operator.get(SILENCES))

    ended = operator.post(f"{SILENCES}{silence.pk}/end/", follow=True)
    again = operator.post(f"{SILENCES}{silence.pk}/end/", follow=True)

    assert "The silence has ended" in staff.words(ended)
    assert "Nothing is silenced." in staff.words(ended)
    assert "ended already" in staff.words(again)


def test_the_text_of_others_is_shown_as_text(viewer: Client) -> None:
    _alert("hostile", summary="<script>alert(1)</script>", label="<b>")

    page = viewer.get(ALERTS).content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_list_says_that_nobody_looks(viewer: Client) -> None:
    Watch.objects.create(evaluated_at=timezone.now() - timedelta(minutes=14))
    before = viewer.get(ALERTS).content.decode()
    Watch.objects.update(evaluated_at=timezone.now() - timedelta(minutes=16))

    after = viewer.get(ALERTS).content.decode()

    assert "Nobody has evaluated the alert rules since" not in before
    assert "Nobody has evaluated the alert rules since" in after
