"""The rules in the admin: edited within bounds, recorded, kept."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from monitoring.models import Alert, AlertRule
from tests.monitoring.alerting import staff

pytestmark = pytest.mark.django_db
ALERTS = "/admin/monitoring/alert/"
SILENCES = f"{ALERTS}silences/"
RULES = "/admin/monitoring/alertrule/"


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

    assert words in staff.words(shown)
    assert AlertRule.objects.get(pk=rule.pk).threshold == 0.1


def test_long_texts_of_a_rule_have_long_boxes(operator: Client) -> None:
    rule = AlertRule.objects.get(name="high-error-rate")

    page = operator.get(f"{RULES}{rule.pk}/change/").content.decode()

    assert page.count('class="vLargeTextField"') == 2
    assert 'href="/static/favicon.svg"' in page


def test_a_rule_of_a_newer_release_is_shown_and_cannot_be_saved(
    operator: Client,
) -> None:
    rule = AlertRule.objects.get(name="high-error-rate")
    AlertRule.objects.filter(pk=rule.pk).update(metric="newer_metric")
    path = f"{RULES}{rule.pk}/change/"

    assert "newer_metric (unknown in this release)" in staff.words(operator.get(path))
    shown = operator.post(path, _rule_form(rule, metric="newer_metric"))
    assert "There is no metric 'newer_metric'" in staff.words(shown)


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


@pytest.mark.parametrize("is_one_of_many", [True, False])
def test_a_rule_that_is_deleted_leaves_no_open_alert_behind(
    admin_client: Client, *, is_one_of_many: bool
) -> None:
    own = AlertRule.objects.create(
        name="mine", summary="Mine.", metric="error_ratio", window_s=60, threshold=1
    )
    for label, state in (("a", "firing"), ("b", "pending")):
        Alert.objects.create(
            rule=own, name="mine", label=label, severity="warning", state=state
        )

    if is_one_of_many:
        chosen = {"action": "delete_selected", "_selected_action": own.pk}
        admin_client.post(RULES, {**chosen, "post": "yes"})
    else:
        admin_client.post(f"{RULES}{own.pk}/delete/", {"post": "yes"})

    assert not AlertRule.objects.filter(pk=own.pk).exists()
    (alert,) = Alert.objects.all()
    assert (alert.label, alert.state) == ("a", "resolved")
    assert alert.resolved_at is not None


def test_a_rule_is_added_and_keeps_its_name(operator: Client) -> None:
    rule = AlertRule(
        name="mine", summary="Mine.", metric="error_ratio", window_s=60, threshold=1
    )
    operator.post(f"{RULES}add/", _rule_form(rule))
    stored = AlertRule.objects.get(name="mine")

    operator.post(f"{RULES}{stored.pk}/change/", _rule_form(stored, name="other"))

    assert AlertRule.objects.get(pk=stored.pk).name == "mine"
