"""Where incidents are found, and where what happened to them is written down."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from monitoring import words
from monitoring.errors import UnknownIncident
from monitoring.models import Alert, Incident, IncidentEntry


def find(incident_id: int) -> Incident:
    """Return an incident. Raises: UnknownIncident."""
    incident = Incident.objects.filter(pk=incident_id).first()
    if incident is None:
        raise UnknownIncident(f"There is no incident {incident_id}; see the list.")
    return incident


def incident_of(alert: Alert) -> Incident | None:
    """Return the incident that an alert opened or joined; None: it has none."""
    entry = IncidentEntry.objects.filter(alert=alert).select_related("incident").first()
    return entry.incident if entry else None


def alerts_of(incident_id: int) -> "QuerySet[Alert]":
    """Select the alerts that opened or joined an incident."""
    entries = IncidentEntry.objects.filter(incident_id=incident_id)
    return Alert.objects.filter(pk__in=entries.exclude(alert=None).values("alert"))


def still_firing(alerts: Iterable[Alert]) -> str:
    """Say which of an incident's alerts fire; empty when none does."""
    names = [str(each) for each in alerts if each.state == Alert.State.FIRING]
    if not names:
        return ""
    verb = "fires" if len(names) == 1 else "fire"
    return f"{len(names)} of its alerts still {verb}: {words.listed(names)}."


def record(  # noqa: PLR0913 - a row's columns
    incident_id: int,
    kind: IncidentEntry.Kind,
    text: str,
    *,
    actor: str,
    is_public: bool = False,
    at: datetime | None = None,
) -> IncidentEntry:
    """Add an entry, inside the transaction of what it tells."""
    return IncidentEntry.objects.create(
        incident_id=incident_id,
        kind=kind,
        text=text,
        actor=name_of(actor),
        is_public=is_public,
        at=at or timezone.now(),
    )


def name_of(actor: str) -> str:
    """Return an actor's name as it is stored."""
    return words.cut(actor, most=words.MAX_NAME) or "unknown"
