"""What people do with alerts: acknowledge, resolve, silence."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.alerting import current, silences, steps
from monitoring.alerting.silences import Target
from monitoring.channels import due
from monitoring.errors import Conflict, InvalidTime, InvalidWords, WrongStep
from monitoring.models import Alert, AlertRule, Silence

pytestmark = pytest.mark.django_db


def _alert(name: str = "high", **columns: Any) -> Alert:
    given = {"severity": "warning", "summary": "It is high.", "state": "firing"}
    return Alert.objects.create(name=name, **given | columns)


def _of_rule(**columns: Any) -> Alert:
    return _alert(rule=AlertRule.objects.get(name="many-errors"), **columns)


def test_an_acknowledged_alert_is_not_told_again() -> None:
    now = timezone.now()
    alert = _alert(notified_at=now - timedelta(days=1))
    assert due.alerts(now) == [alert]

    steps.acknowledge(alert, actor="olga", now=now)

    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledged_at) == ("olga", now)
    assert due.alerts(now) == []


def test_who_comes_second_hears_who_was_first() -> None:
    alert, same = _alert(), Alert.objects.get()
    steps.acknowledge(alert, actor="olga", now=timezone.now())

    with pytest.raises(Conflict, match="acknowledged by olga already"):
        steps.acknowledge(same, actor="oscar", now=timezone.now())


@pytest.mark.parametrize("act", [steps.acknowledge, steps.resolve])
def test_nothing_can_be_done_about_what_is_over_or_has_not_fired(act: Any) -> None:
    now = timezone.now()
    over = _alert("over", state="resolved", resolved_at=now)
    pending = _alert("pending", state="pending")

    with pytest.raises(Conflict, match="over already"):
        act(over, actor="olga", now=now)
    with pytest.raises(WrongStep, match="not fired yet"):
        act(pending, actor="olga", now=now)


def test_an_alert_without_a_rule_is_resolved_by_hand() -> None:
    alert, now = _alert(), timezone.now()

    steps.resolve(alert, actor="olga", now=now)

    alert.refresh_from_db()
    assert (alert.state, alert.resolved_at) == ("resolved", now)


def test_one_of_a_rule_ends_by_itself_unless_it_is_frozen() -> None:
    now = timezone.now()
    alert = _of_rule()
    with pytest.raises(WrongStep, match="ends it by itself"):
        steps.resolve(alert, actor="olga", now=now)

    Alert.objects.update(frozen_since=now)
    steps.resolve(alert, actor="olga", now=now)

    assert Alert.objects.get().state == "resolved"


def test_what_is_wrong_now_is_listed_in_one_query(
    django_assert_num_queries: Any,
) -> None:
    now = timezone.now()
    _alert("over", state="resolved", resolved_at=now)
    _alert("pending", state="pending", began_at=now)
    _alert("older", began_at=now - timedelta(hours=2))
    _of_rule(name="newer", began_at=now - timedelta(hours=1))

    with django_assert_num_queries(1):
        found = [
            (alert.name, alert.rule and alert.rule.name)
            for alert in current.open_alerts()
        ]

    assert found == [("newer", "many-errors"), ("older", None), ("pending", None)]


@pytest.mark.parametrize(
    ("target", "covered"),
    [
        (Target(), {"disk", "beat", "other"}),
        (Target(name="check"), {"disk", "beat"}),
        (Target(name="check", label="disk"), {"disk"}),
        (Target(label="beat"), {"beat"}),
    ],
)
def test_a_silence_covers_what_its_name_and_label_say(
    target: Target, covered: set[str]
) -> None:
    now = timezone.now()
    alerts = [
        _alert("check", label="disk"),
        _alert("check", label="beat"),
        _alert("plain", label="other"),
    ]
    made = _silence(target, hours=1)

    found = {each.label for each in alerts if silences.covering(each, [made])}

    assert found == covered
    told = {each.label for each in due.alerts(now + timedelta(minutes=5))}
    assert told == {"disk", "beat", "other"} - covered


def _silence(target: Target, *, hours: float, reason: str = "Known.") -> Silence:
    now = timezone.now()
    return silences.create(
        target,
        ends_at=now + timedelta(hours=hours),
        reason=reason,
        actor="olga",
        now=now,
    )


@pytest.mark.parametrize("hours", [-1, 0, 30 * 24 + 1])
def test_a_silence_must_end_within_thirty_days(hours: float) -> None:
    with pytest.raises(InvalidTime, match="within 30 days"):
        _silence(Target(), hours=hours)

    assert not Silence.objects.exists()


def test_a_silence_needs_an_end_and_a_reason() -> None:
    with pytest.raises(InvalidTime, match="needs an end"):
        silences.create(
            Target(), ends_at=None, reason="Known.", actor="o", now=timezone.now()
        )
    with pytest.raises(InvalidWords, match="reason is empty"):
        _silence(Target(), hours=1, reason=" \n")


def test_a_silence_is_ended_once() -> None:
    made = _silence(Target(), hours=1)
    now = timezone.now() + timedelta(minutes=1)
    assert silences.current(now) == [made]

    silences.end(made.pk, actor="olga", now=now)

    assert silences.current(now) == []
    with pytest.raises(Conflict, match="ended already"):
        silences.end(made.pk, actor="oscar", now=now)


def test_a_silence_that_has_not_begun_by_this_clock_can_be_ended() -> None:
    made = _silence(Target(), hours=1)

    silences.end(made.pk, actor="olga", now=made.starts_at - timedelta(seconds=5))

    assert not Silence.objects.exists()
