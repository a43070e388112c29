"""Which alerts people have to be told of now."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from monitoring.alerting import wording as units
from monitoring.channels.wording import Told
from monitoring.models import Alert, Severity, Silence

GROUP_WAIT_S = {
    Severity.CRITICAL.value: 10,
    Severity.WARNING.value: 30,
    Severity.INFO.value: 30,
}
# Of an alert without a rule, which was raised by hand.
_REPEAT_S = 14_400
_END_IS_NEWS_FOR = timedelta(days=1)
# Between the clocks of two processes; more means that a clock was set back.
_TOLERANCE = timedelta(minutes=1)


def alerts(now: datetime, *, locking: bool = False) -> list[Alert]:
    """Return those that began and were not told, are on for long, or have ended.

    Silenced ones are left out, and of what is on those that somebody acknowledged. New
    ones wait for others of their severity, so that they go together. `locking` needs a
    transaction: then whoever else asks waits for its end, and finds them told.
    """
    rows = _candidates(now)
    if locking:
        rows = rows.select_for_update(of=("self",))
    found = list(rows)
    ready = _ready([each for each in found if _is_new(each)], now)
    return [
        each
        for each in found
        if each.state == Alert.State.RESOLVED
        or (each.severity in ready if _is_new(each) else _is_to_repeat(each, now))
    ]


def mark(told: Iterable[Alert], now: datetime) -> None:
    """Note that people were told, of the beginning or of the end."""
    over = [each.pk for each in told if each.state == Alert.State.RESOLVED]
    on = [each.pk for each in told if each.state != Alert.State.RESOLVED]
    if over:
        Alert.objects.filter(pk__in=over).update(end_notified_at=now)
    if on:
        Alert.objects.filter(pk__in=on).update(notified_at=now)


def as_told(alert: Alert) -> Told:
    """Return what is told of an alert."""
    return Told(
        name=alert.name,
        label=alert.label,
        severity=alert.severity,
        summary=alert.summary,
        runbook=alert.runbook,
        event_count=alert.event_count,
        value=alert.value,
        unit=units.unit(alert.rule.metric) if alert.rule else "",
        began_at=alert.began_at,
        resolved_at=alert.resolved_at,
        frozen_since=alert.frozen_since,
        is_known=alert.notified_at is not None,
    )


def _candidates(now: datetime) -> "QuerySet[Alert]":
    is_on = Q(state=Alert.State.FIRING, acknowledged_at=None)
    is_over = Q(
        state=Alert.State.RESOLVED,
        notified_at__isnull=False,
        end_notified_at=None,
        resolved_at__gt=now - _END_IS_NEWS_FOR,
    )
    rows = Alert.objects.filter(is_on | is_over).exclude(Exists(_silences(now)))
    return rows.select_related("rule").order_by("began_at", "pk")


def _silences(now: datetime) -> "QuerySet[Silence]":
    return Silence.objects.filter(
        Q(name="") | Q(name=OuterRef("name")),
        Q(label="") | Q(label=OuterRef("label")),
        starts_at__lte=now,
        ends_at__gt=now,
    )


def _is_new(alert: Alert) -> bool:
    return alert.state == Alert.State.FIRING and alert.notified_at is None


def _ready(fresh: Iterable[Alert], now: datetime) -> set[str]:
    """Return the severities whose oldest new alert has waited; so does an old clock."""
    oldest: dict[str, datetime] = {}
    for each in fresh:
        since = each.fired_at or each.began_at
        oldest[each.severity] = min(since, oldest.get(each.severity, since))
    return {
        severity
        for severity, since in oldest.items()
        if not (-_TOLERANCE <= now - since < timedelta(seconds=GROUP_WAIT_S[severity]))
    }


def _is_to_repeat(alert: Alert, now: datetime) -> bool:
    repeat_s = alert.rule.repeat_s if alert.rule else _REPEAT_S
    if alert.notified_at is None or not repeat_s:
        return False
    span = now - alert.notified_at
    return not -_TOLERANCE <= span < timedelta(seconds=repeat_s)
