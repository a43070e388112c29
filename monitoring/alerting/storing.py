"""Writes what became of the alerts: only what has changed, in few statements."""

from collections.abc import Iterable
from typing import Any

import structlog

from monitoring.alerting.judging import Verdict
from monitoring.alerting.transitions import PENDING, Standing
from monitoring.models import Alert

log = structlog.get_logger(__name__)

_SUMMARY_LENGTH = 500


def store(verdicts: Iterable[Verdict]) -> int:
    """Write them in the open transaction; return how many fired or ended.

    One that was only pending and passed leaves nothing behind. What belongs to people
    and to the messages about an alert is not touched: others write it meanwhile. One
    that a person has ended since it was read stays ended.
    """
    new: list[Alert] = []
    changed: list[Alert] = []
    fields: set[str] = set()
    passed: list[int] = []
    count = 0
    for verdict in verdicts:
        alert, standing = verdict.alert, verdict.standing
        count += _is_news(verdict)
        if alert is None:
            if standing is not None:
                new.append(_made(verdict, standing))
        elif standing is None:
            passed.append(alert.pk)
        elif names := _update(alert, _columns(verdict, standing)):
            changed.append(alert)
            fields |= names
    Alert.objects.bulk_create(_without_namesakes(new))
    if changed := _still_open(changed):
        Alert.objects.bulk_update(changed, sorted(fields))
    if passed:
        Alert.objects.filter(pk__in=passed, state=PENDING).delete()
    return count


def _made(verdict: Verdict, standing: Standing) -> Alert:
    return Alert(
        rule=verdict.rule,
        name=verdict.rule.name,
        label=verdict.label,
        **_columns(verdict, standing),
    )


def _columns(verdict: Verdict, standing: Standing) -> dict[str, Any]:
    rule, alert = verdict.rule, verdict.alert
    value = verdict.value
    if value is None and alert is not None:
        value = alert.value  # the newest there was; `frozen_since` says that it is old
    return {
        "state": standing.state,
        "began_at": standing.began_at,
        "fired_at": standing.fired_at,
        "fine_since": standing.fine_since,
        "frozen_since": standing.frozen_since,
        "resolved_at": standing.resolved_at,
        "value": value,
        "severity": rule.severity,
        "summary": _summary(verdict),
        "runbook": rule.runbook,
    }


def _summary(verdict: Verdict) -> str:
    """Return the rule's sentence, with the part that it is about."""
    details = ", ".join(each for each in (verdict.label, verdict.note) if each)
    summary = verdict.rule.summary
    if details:
        summary = f"{summary.rstrip('.')}: {details}."
    return summary[:_SUMMARY_LENGTH]


def _update(alert: Alert, columns: dict[str, Any]) -> set[str]:
    """Set what differs; return the names of that."""
    changed = {
        name: value for name, value in columns.items() if getattr(alert, name) != value
    }
    for name, value in changed.items():
        setattr(alert, name, value)
    return set(changed)


def _still_open(changed: list[Alert]) -> list[Alert]:
    """Leave out what was ended meanwhile, and keep the rest from being."""
    if not changed:
        return []
    pks = [alert.pk for alert in changed]
    rows = Alert.objects.select_for_update().filter(pk__in=pks, resolved_at=None)
    held = set(rows.values_list("pk", flat=True))
    return [alert for alert in changed if alert.pk in held]


def _without_namesakes(new: list[Alert]) -> list[Alert]:
    """Leave out what is open already, raised by hand under the same name."""
    if not new:
        return []
    names = {alert.name for alert in new}
    taken = set(
        Alert.objects.filter(resolved_at=None, name__in=names).values_list(
            "name", "label"
        )
    )
    return [alert for alert in new if (alert.name, alert.label) not in taken]


def _is_news(verdict: Verdict) -> bool:
    """Log a step that people hear of, and tell whether it is one."""
    old = verdict.alert.state if verdict.alert else ""
    new = verdict.standing.state if verdict.standing else ""
    if new in {old, "", PENDING}:
        return False
    log.info(
        "alerts.changed",
        state=new,
        rule=verdict.rule.name,
        label=verdict.label,
        severity=verdict.rule.severity,
        value=verdict.value,
    )
    return True
