"""How long it took to notice, to begin and to repair: of one incident, on average."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.channels.wording import lasted
from monitoring.models import Incident
from monitoring.wording import NO_DATA

WINDOW = timedelta(days=90)
NOT_YET = "not yet"  # what one incident has not reached


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds; None: not reached (or, of means, by no incident).

    `detect_s`: from its begin until we knew; `acknowledge_s`: from then until somebody
    was at it; `resolve_s`: from its begin to its end.
    """

    detect_s: float | None
    acknowledge_s: float | None
    resolve_s: float | None


@dataclass(frozen=True, slots=True)
class Means:
    """The mean times (MTTD, MTTA, MTTR) of `count` incidents.

    `resolved_count` of them have ended.
    """

    count: int
    resolved_count: int
    times: Times


def of(incident: Incident) -> Times:
    """Return one incident's times."""
    return Times(
        detect_s=_between(incident.started_at, incident.detected_at),
        acknowledge_s=_between(incident.detected_at, incident.acknowledged_at),
        resolve_s=_between(incident.started_at, incident.resolved_at),
    )


def means(now: datetime) -> Means:
    """Return the means of all incidents that were detected in the last 90 days."""
    recent = Incident.objects.filter(detected_at__gte=now - WINDOW)
    found = [
        of(incident)
        for incident in recent.only(
            "started_at", "detected_at", "acknowledged_at", "resolved_at"
        )
    ]
    return Means(
        count=len(found),
        resolved_count=sum(each.resolve_s is not None for each in found),
        times=Times(
            detect_s=_mean(each.detect_s for each in found),
            acknowledge_s=_mean(each.acknowledge_s for each in found),
            resolve_s=_mean(each.resolve_s for each in found),
        ),
    )


def words(seconds: float | None, *, missing: str = NO_DATA) -> str:
    """Say a duration with its two largest units, such as `1 h 5 min`."""
    if seconds is None:
        return missing
    return lasted(timedelta(seconds=round(seconds)))


def _between(begin: datetime, end: datetime | None) -> float | None:
    """Return the seconds between; 0 where a clock was set back between them."""
    return None if end is None else max(0.0, (end - begin).total_seconds())


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
