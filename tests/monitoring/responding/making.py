"""Alerts and incidents as they are found in the database."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from monitoring import incidents
from monitoring.models import Alert, Incident, IncidentEntry

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def alert(name: str = "error_rate", **fields: Any) -> Alert:
    """Store an alert; unless told otherwise a critical one that has just fired."""
    now = timezone.now()
    given = {
        "severity": "critical",
        "summary": "More than 10 % of the turns fail.",
        "state": "firing",
        "began_at": now - timedelta(minutes=2),
        "fired_at": now,
    }
    return Alert.objects.create(name=name, **(given | fields))


def incident(**fields: Any) -> Incident:
    """Store an incident that nobody has touched yet."""
    given = {
        "title": "Answers fail",
        "severity": "critical",
        "opened_by": "alice",
        "started_at": NOON,
        "detected_at": NOON + timedelta(minutes=5),
    }
    return Incident.objects.create(**(given | fields))


def opened(title: str = "Answers fail", *, impact: str = "") -> Incident:
    """Open an incident by hand, as alice."""
    return incidents.open_by_hand(
        title, severity="critical", impact=impact, actor="alice"
    )


def entries(found: Incident) -> list[tuple[str, str, str]]:
    """Return what was recorded: kind, text, actor."""
    return [
        (each.kind, each.text, each.actor)
        for each in IncidentEntry.objects.filter(incident=found)
    ]
