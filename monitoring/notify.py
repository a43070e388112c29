"""Say that something is wrong, or over, or tell people something: the door."""

import re
from collections.abc import Mapping
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from monitoring import incidents, words
from monitoring.alerting.judging import MAX_LABELS, OTHERS
from monitoring.channels import clean, outbox, rows
from monitoring.channels.message import Draft
from monitoring.errors import InvalidWords
from monitoring.models import Alert, Severity

log = structlog.get_logger(__name__)

_NAME = re.compile(r"[\w.-]{1,64}", re.ASCII)
_LABEL_CHARS, _SUMMARY_CHARS = 64, 2000


def raise_alert(
    name: str, *, severity: str, summary: str, label: str = "", runbook: str = ""
) -> Alert:
    """Open an alert, or count it once more while it is open.

    People are told by the next run of the outbox, once for all that is the same; and
    again when it becomes more severe. Costs the same however often it is raised.
    Raises: InvalidWords.
    """
    _check(name, severity, summary)
    label = clean.line(label, limit=_LABEL_CHARS)
    wanted = Alert(
        name=name,
        label=label,
        severity=severity,
        summary=clean.line(summary, limit=_SUMMARY_CHARS),
        runbook=runbook[:100],
        state=Alert.State.FIRING,
    )
    return _count(wanted) or _open(wanted)


def resolve_alert(name: str, *, label: str = "") -> bool:
    """Say that it is over; False when no such alert is open.

    One that a rule watches ends by itself, and stays as it is.
    """
    ours = _open_ones(name).filter(label=clean.line(label, limit=_LABEL_CHARS))
    over = {"state": Alert.State.RESOLVED, "resolved_at": timezone.now()}
    return bool(ours.filter(rule=None).update(**over))


def broadcast(
    subject: str, text: str, *, severity: str, payload: Mapping[str, Any]
) -> int:
    """Send something to every channel that hears of this severity.

    Returns how many that are; it is sent by the next run of the outbox, after the
    transaction that is open. Raises: InvalidWords for a severity that is none.
    """
    words.severity(severity)
    draft = Draft(severity=severity, subject=subject, text=text, payload=payload)
    return outbox.put(draft, channels=rows.listening(severity))


def _count(wanted: Alert) -> Alert | None:
    """Count it, if it is open; None if it is not."""
    same = _open_ones(wanted.name).filter(label=wanted.label)
    again = {"event_count": F("event_count") + 1, "summary": wanted.summary}
    if not same.update(**again):
        return None
    alert = Alert.objects.filter(name=wanted.name, label=wanted.label).latest("pk")
    if rows.rank(wanted.severity) > rows.rank(alert.severity):
        _worsen(alert, wanted.severity)
    return alert


def _open(wanted: Alert) -> Alert:
    """Open it; when another one was first, count it there."""
    if wanted.label and _open_ones(wanted.name).count() >= MAX_LABELS:
        wanted.label = OTHERS
        if alert := _count(wanted):
            return alert
    wanted.began_at = wanted.fired_at = timezone.now()
    try:
        with transaction.atomic():
            wanted.save(force_insert=True)
            _open_incident(wanted)
    except IntegrityError:
        wanted.pk = None
        return _count(wanted) or _open(wanted)
    return wanted


def _worsen(alert: Alert, severity: str) -> None:
    """Make it more severe, as if nobody had been told yet."""
    milder = [each for each in Severity.values if rows.rank(each) < rows.rank(severity)]
    worse = {
        "severity": severity,
        "notified_at": None,
        "acknowledged_at": None,
        "acknowledged_by": "",
    }
    still = Alert.objects.filter(
        Q(resolved_at=None), pk=alert.pk, severity__in=milder, rule=None
    )
    if still.update(**worse):
        alert.refresh_from_db()
        _open_incident(alert)


def _open_incident(alert: Alert) -> None:
    """Open one for a critical alert; what fails here the rules' next run makes up."""
    if alert.severity != Severity.CRITICAL:
        return
    try:
        with transaction.atomic():
            incidents.open_for(alert)
    except Exception:
        # Loud, but people must hear of the alert itself.
        log.exception("alerts.incident_failed", alert=alert.pk)


def _open_ones(name: str) -> "QuerySet[Alert]":
    return Alert.objects.filter(name=name, resolved_at=None)


def _check(name: str, severity: str, summary: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidWords(
            f"The name {name[:80]!r} can't be used: expected 1 to 64 letters, digits, "
            f"dashes, dots or underscores, such as deploy-failed."
        )
    words.severity(severity)
    if not summary.strip():
        raise InvalidWords("The message is empty: expected a sentence that says what.")
