"""Incidents for programs."""

from datetime import datetime

from monitoring.models import Incident
from monitoring.responding import durations
from monitoring.responding.details import ROLES
from monitoring.responding.timeline import Timeline


def incident(found: Incident) -> dict[str, object]:
    """Return an incident; times in seconds, null: not reached."""
    times = durations.of(found)
    return {
        "id": found.pk,
        "title": found.title,
        "severity": found.severity,
        "status": found.status,
        "impact": found.impact,
        "opened_by": found.opened_by,
        "started_at": _moment(found.started_at),
        "detected_at": _moment(found.detected_at),
        "acknowledged_at": _moment(found.acknowledged_at),
        "resolved_at": _moment(found.resolved_at),
        "next_update_at": _moment(found.next_update_at),
        "time_to_detect_s": times.detect_s,
        "time_to_acknowledge_s": times.acknowledge_s,
        "time_to_resolve_s": times.resolve_s,
        "roles": {role: getattr(found, role) or None for role in ROLES},
        "is_public": found.is_public,
    }


def means(found: durations.Means) -> dict[str, object]:
    """Return the means of the last 90 days; null: no incident got there."""
    return {
        "days": durations.WINDOW.days,
        "incidents": found.count,
        "resolved": found.resolved_count,
        "mttd_s": found.times.detect_s,
        "mtta_s": found.times.acknowledge_s,
        "mttr_s": found.times.resolve_s,
    }


def timeline(told: Timeline) -> dict[str, object]:
    """Return what happened, the oldest first."""
    return {
        "begin": _moment(told.begin),
        "end": _moment(told.end),
        "left_out": told.left_out,
        "lines": [
            {
                "at": _moment(line.at),
                "kind": line.kind,
                "text": line.text,
                "actor": line.actor or None,
                "is_public": line.is_public,
            }
            for line in told.lines
        ],
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
