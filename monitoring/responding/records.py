"""Where incidents are found, and where what happened to them is written down."""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from monitoring import words
from monitoring.errors import UnknownIncident
from monitoring.models import Incident, IncidentEntry


def find(incident_id: int) -> Incident:
    """Return an incident. Raises: UnknownIncident."""
    incident = Incident.objects.filter(pk=incident_id).first()
    if incident is None:
        raise UnknownIncident(f"There is no incident {incident_id}; see the list.")
    return incident


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


def listed(names: Iterable[str]) -> str:
    """Return names in a row, as an error says what it expected."""
    return ", ".join(str(name) for name in names)
