"""The pages of alerts: who may see them, who may act, and what they say."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from monitoring.models import Alert, AlertRule, Silence

pytestmark = pytest.mark.django_db
ALERTS = "/admin/monitoring/alert/"
SILENCES = f"{ALERTS}silences/"
RULES = "/admin/monitoring/alertrule/"


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Settings) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture
def sign_in() -> Callable[[str], Client]:
    """Return a client of somebody of the staff in this group; "": in none."""

    def make(group: str) -> Client:
        user = get_user_model().objects.create_user(
            f"{group or 'nobody'}-anna", is_staff=True
        )
        if group:
            user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def viewer(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("viewer")


@pytest.fixture
def operator(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("operator")


def _words(response: Any) -> str:
    text = html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))
    return re.sub(r"\s+", " ", text)


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


def test_nobody_without_the_right_sees_them(sign_in: Callable[[str], Client]) -> None:
    alert = _alert()
    nobody = sign_in("")

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

    words = _words(viewer.get(ALERTS))

    assert "12.3\u00a0%" in words or "12.3 %" in words
    assert re.search(r"above 10.% for 1 minute", words)
    for mark in ("firing", "critical", "frozen", "acknowledged", "silenced"):
        assert mark in words


def test_a_broken_rule_is_shown_as_one(viewer: Client, admin_client: Client) -> None:
    AlertRule.objects.filter(name="high-error-rate").update(metric="newer_metric")
    alert = _alert()

    assert "broken rule" in _words(viewer.get(ALERTS))
    assert "Nobody offers the metric newer_metric" in _words(
        viewer.get(f"{ALERTS}{alert.pk}/")
    )
    assert "broken: nobody offers its metric" in _words(admin_client.get(RULES))


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

    assert "30 over within the last 30 days" in _words(first)
    assert "part0" in _words(first)
    assert "part29" in _words(second)
    assert "long-over" not in _words(first) + _words(second)


def test_an_alert_that_is_not_there_is_not_found(viewer: Client) -> None:
    assert viewer.get(f"{ALERTS}4711/").status_code == 404


def test_acknowledging_is_recorded_and_done_once(operator: Client) -> None:
    alert = _alert()
    path = f"{ALERTS}{alert.pk}/acknowledge/"

    first = operator.post(path, follow=True)
    second = operator.post(path, follow=True)

    assert Alert.objects.get().acknowledged_by == "operator-anna"
    assert "Acknowledged: nobody is told of it again." in _words(first)
    assert "It was acknowledged by operator-anna already." in _words(second)
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

    assert "Its rule ends it by itself" in _words(refused)
    states = dict(Alert.objects.values_list("name", "state"))
    assert states == {"high-error-rate": "firing", "by-hand": "resolved"}


def test_an_alert_is_silenced_for_its_part_or_for_all(operator: Client) -> None:
    alert = _alert("check-unhealthy", label="disk")
    path = f"{ALERTS}{alert.pk}/silence/"

    operator.post(path, {"length": "4", "reason": "A disk is on its way."})
    operator.post(path, {"length": "1", "reason": "Known.", "is_for_all": "on"})

    part, whole = Silence.objects.order_by("pk")
    assert (part.name, part.label) == ("check-unhealthy", "disk")
    assert part.ends_at - part.starts_at == timedelta(hours=4)
    assert (whole.name, whole.label) == ("check-unhealthy", "")
    assert part.created_by == "operator-anna"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"length": "1"}, "This field is required."),
        ({"length": "own", "reason": "Known."}, "A silence needs an end"),
        (
            {"length": "own", "reason": "Known.", "ends_at": "2020-01-01T00:00"},
            "A silence can't end at 2020-01-01 00:00 UTC",
        ),
        ({"length": "forever", "reason": "Known."}, "not one of the available choices"),
        ({"length": "own", "reason": "Known.", "ends_at": "soon"}, "valid date/time"),
    ],
)
def test_a_silence_that_is_none_is_refused_in_words(
    operator: Client, given: dict[str, str], words: str
) -> None:
    shown = operator.post(f"{SILENCES}new/", given)

    assert shown.status_code == 200
    assert words in _words(shown)
    assert not Silence.objects.exists()


def test_a_silence_of_a_name_is_ended_from_the_list(operator: Client) -> None:
    given = {"name": "low-hit-ratio", "label": "", "length": "24", "reason": "Known."}
    operator.post(f"{SILENCES}new/", given)
    silence = Silence.objects.get()
    assert "low-hit-ratio" in _words(operator.get(SILENCES))

    ended = operator.post(f"{SILENCES}{silence.pk}/end/", follow=True)
    again = operator.post(f"{SILENCES}{silence.pk}/end/", follow=True)

    assert "The silence has ended" in _words(ended)
    assert "Nothing is silenced." in _words(ended)
    assert "ended already" in _words(again)


def _rule_form(rule: AlertRule, **edited: str) -> dict[str, str]:
    columns = {
        field.name: getattr(rule, field.name)
        for field in AlertRule._meta.fields
        if field.name != "id"
    }
    given = {
        name: "on" if value is True else str(value)
        for name, value in columns.items()
        if value is not None and value is not False
    }
    return given | edited


def test_an_edit_of_a_rule_is_recorded_with_what_was_before(operator: Client) -> None:
    rule = AlertRule.objects.get(name="high-error-rate")
    path = f"{RULES}{rule.pk}/change/"

    answered = operator.post(path, _rule_form(rule, threshold="0.2"))

    assert answered.status_code == 302
    rule.refresh_from_db()
    assert rule.threshold == 0.2
    assert "threshold: 0.1 → 0.2" in LogEntry.objects.get().change_message


@pytest.mark.parametrize(
    ("edited", "words"),
    [
        ({"threshold": "nan"}, "Enter a number."),
        ({"metric": "eror_ratio"}, "not one of the available choices"),
        ({"short_window_s": "900"}, "shorter than the window"),
        ({"clear_threshold": "0.5"}, "on the wrong side"),
    ],
)
def test_a_rule_that_cannot_be_watched_is_not_saved(
    operator: Client, edited: dict[str, str], words: str
) -> None:
    rule = AlertRule.objects.get(name="high-error-rate")

    shown = operator.post(f"{RULES}{rule.pk}/change/", _rule_form(rule, **edited))

    assert words in _words(shown)
    assert AlertRule.objects.get(pk=rule.pk).threshold == 0.1


def test_a_rule_of_a_newer_release_is_shown_and_cannot_be_saved(
    operator: Client,
) -> None:
    rule = AlertRule.objects.get(name="high-error-rate")
    AlertRule.objects.filter(pk=rule.pk).update(metric="newer_metric")
    path = f"{RULES}{rule.pk}/change/"

    assert "newer_metric (unknown in this release)" in _words(operator.get(path))
    shown = operator.post(path, _rule_form(rule, metric="newer_metric"))
    assert "There is no metric 'newer_metric'" in _words(shown)


def test_a_default_rule_is_not_deleted_and_one_of_your_own_is(
    admin_client: Client,
) -> None:
    default = AlertRule.objects.get(name="high-error-rate")
    own = AlertRule.objects.create(
        name="mine", summary="Mine.", metric="error_ratio", window_s=60, threshold=1
    )

    refused = admin_client.post(f"{RULES}{default.pk}/delete/", {"post": "yes"})
    admin_client.post(f"{RULES}{own.pk}/delete/", {"post": "yes"})

    assert refused.status_code == 403
    assert set(AlertRule.objects.filter(pk__in=[default.pk, own.pk])) == {default}


def test_a_rule_is_added_and_keeps_its_name(operator: Client) -> None:
    rule = AlertRule(
        name="mine", summary="Mine.", metric="error_ratio", window_s=60, threshold=1
    )
    operator.post(f"{RULES}add/", _rule_form(rule))
    stored = AlertRule.objects.get(name="mine")

    operator.post(f"{RULES}{stored.pk}/change/", _rule_form(stored, name="other"))

    assert AlertRule.objects.get(pk=stored.pk).name == "mine"


def test_the_text_of_others_is_shown_as_text(viewer: Client) -> None:
    _alert("hostile", summary="<script>alert(1)</script>", label="<b>")

    page = viewer.get(ALERTS).content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
