"""How an incident begins: by a critical alert that fires, or by hand."""

from datetime import UTC, datetime

from django.db import transaction
from django.utils import timezone

from monitoring import words
from monitoring.errors import InvalidWords
from monitoring.models import Alert, Incident, IncidentEntry, Lease, Severity
from monitoring.responding.records import incident_of

_LOCK = "incidents"
# A year that lacks a digit is a slip: nothing of ours is older.
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


def open_for(alert: Alert) -> Incident | None:
    """Return the incident of a critical alert that has fired; None for any other.

    It is opened now, unless one is open already: then the alert joins that. Whether
    the alert has one is asked first, so calling again changes nothing, also after the
    incident was resolved.
    """
    if alert.severity != Severity.CRITICAL or alert.fired_at is None:
        return None
    if found := incident_of(alert):
        return found
    with transaction.atomic():
        _lock()
        return incident_of(alert) or _join(alert) or _open(alert)


def open_by_hand(
    title: str,
    *,
    severity: str,
    impact: str,
    actor: str,
    started_at: datetime | None = None,
) -> Incident:
    """Open an incident that nobody was alerted of; it began now, or when they say.

    Raises: InvalidWords.
    """
    now = timezone.now()
    words.severity(severity)
    if started_at is not None and started_at > now:
        raise InvalidWords(
            f"It can't have begun at {started_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: "
            f"that is to come."
        )
    if started_at is not None and started_at < _EARLIEST:
        raise InvalidWords(
            f"It can't have begun in the year {started_at.year}: expected a time since "
            f"{_EARLIEST.year}, in UTC."
        )
    fields = {
        "title": words.line(title, what="title"),
        "impact": words.text(impact, what="impact", is_needed=False),
    }
    with transaction.atomic():
        incident = Incident.objects.create(
            **fields,
            severity=severity,
            opened_by=words.cut(actor, most=words.MAX_NAME),
            started_at=started_at or now,
            detected_at=now,
        )
        incident.entries.create(
            kind=IncidentEntry.Kind.STATUS,
            text="Opened by hand.",
            actor=incident.opened_by,
            at=now,
        )
    return incident


def _join(alert: Alert) -> Incident | None:
    unresolved = Incident.objects.filter(resolved_at=None)
    incident = unresolved.order_by("-detected_at", "-id").first()
    if incident is not None:
        is_worse = incident.severity != alert.severity
        if is_worse:  # or letters about it would only go where mild ones go
            incident.severity = alert.severity
            incident.save(update_fields=["severity"])
        now = f" It is {alert.severity} now." if is_worse else ""
        _record(incident, alert, f"The alert {alert} joined.{now}")
    return incident


def _open(alert: Alert) -> Incident:
    fired_at = alert.fired_at or timezone.now()
    incident = Incident.objects.create(
        title=words.cut(alert.summary or str(alert), most=words.MAX_LINE),
        severity=alert.severity,
        alert=alert,
        opened_by=_name(alert),
        started_at=min(alert.began_at, fired_at),
        detected_at=fired_at,
    )
    _record(incident, alert, f"Opened by the alert {alert}.")
    return incident


def _record(incident: Incident, alert: Alert, text: str) -> None:
    incident.entries.create(
        kind=IncidentEntry.Kind.ALERT,
        text=text,
        actor=_name(alert),
        alert=alert,
        at=alert.fired_at or timezone.now(),
    )


def _name(alert: Alert) -> str:
    return words.cut(f"alert {alert}", most=words.MAX_NAME)


def _lock() -> None:
    """Let one process at a time decide between opening and joining.

    SQLite's transactions have the file to themselves anyway.
    """
    Lease.objects.get_or_create(
        name=_LOCK, defaults={"holder": "", "until": timezone.now()}
    )
    Lease.objects.select_for_update().get(name=_LOCK)
