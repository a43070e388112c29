"""All that happened around an incident, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring import registry
from monitoring.models import Incident, IncidentEntry
from monitoring.registry import Event

BEFORE = timedelta(minutes=30)
MOST = 500
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `is_ours`: people working on it wrote it down."""

    at: datetime
    kind: str
    text: str
    actor: str = ""
    is_ours: bool = False
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """The newest lines, the oldest first; `left_out` older ones are not shown."""

    begin: datetime
    end: datetime
    lines: list[Line]
    left_out: int


def of(incident: Incident, *, now: datetime) -> Timeline:
    """Collect what people and the service did, from half an hour before its begin.

    It ends when the incident was resolved, or now; what people wrote later stays.
    """
    seen = [
        Line(event.at, event.kind, event.text, event.actor)
        for event in events(incident, now=now)
    ]
    lines = sorted([*seen, *_entries(incident)], key=lambda line: line.at)
    return Timeline(
        begin=incident.started_at - BEFORE,
        end=incident.resolved_at or now,
        lines=lines[-MOST:],
        left_out=max(0, len(lines) - MOST),
    )


def events(incident: Incident, *, now: datetime) -> list[Event]:
    """Return what the service did in the incident's window, the oldest first."""
    end = incident.resolved_at or now
    return registry.events(incident.started_at - BEFORE, end + _MOMENT)


def _entries(incident: Incident) -> Iterator[Line]:
    """Yield what people wrote, and that alerts joined; alerts tell the rest."""
    newest = incident.entries.order_by("-at", "-id")[: MOST + 1]
    for entry in newest:
        yield Line(
            at=entry.at,
            kind=entry.get_kind_display().lower(),
            text=entry.text,
            actor=entry.actor,
            is_ours=entry.kind != IncidentEntry.Kind.ALERT,
            is_public=entry.is_public,
        )
