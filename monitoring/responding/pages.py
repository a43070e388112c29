"""What the incident pages show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.utils import timezone

from monitoring.models import Alert, Incident
from monitoring.responding import durations, records, timeline
from monitoring.responding.details import ROLES, label
from monitoring.wording import NO_DATA

_PER_PAGE = 25
_MOST_OPEN = 100


@dataclass(frozen=True, slots=True)
class Time:
    """A duration in words, and what it is."""

    name: str
    about: str
    words: str


def overview(*, number: str) -> dict[str, Any]:
    """Return the list's context: all open ones, and a page of the resolved."""
    means = durations.means(timezone.now())
    newest = Incident.objects.order_by("-detected_at", "-id")
    resolved = newest.filter(resolved_at__isnull=False)
    return {
        "open_ones": newest.filter(resolved_at=None)[:_MOST_OPEN],
        "listed": Paginator(resolved, _PER_PAGE).get_page(number),
        "means": means,
        "times": times(
            means.times,
            names=(
                "Mean time to detect (MTTD)",
                "Mean time to acknowledge (MTTA)",
                "Mean time to resolve (MTTR)",
            ),
            missing=NO_DATA,
        ),
        "days": durations.WINDOW.days,
    }


def one(incident: Incident) -> dict[str, Any]:
    """Return the context of one incident's page, without its forms."""
    told = timeline.of(incident, now=timezone.now())
    alerts = list(records.alerts_of(incident.pk).order_by("fired_at", "pk"))
    return {
        "incident": incident,
        "times": times(
            durations.of(incident),
            names=("Time to detect", "Time to acknowledge", "Time to resolve"),
            missing=durations.NOT_YET,
        ),
        "roles": [(label(role), getattr(incident, role)) for role in ROLES],
        "told": told,
        "lines": told.lines[::-1],
        "its_alerts": alerts,
        "quiet_since": _quiet_since(incident, alerts),
        "still_firing": records.still_firing(alerts),
    }


def times(
    found: durations.Times, *, names: tuple[str, str, str], missing: str
) -> list[Time]:
    """Return the three times in words."""
    abouts = ("begin to detected", "detected to acknowledged", "begin to resolved")
    values = (found.detect_s, found.acknowledge_s, found.resolve_s)
    return [
        Time(name, about, durations.words(value, missing=missing))
        for name, about, value in zip(names, abouts, values, strict=True)
    ]


def _quiet_since(incident: Incident, alerts: Sequence[Alert]) -> datetime | None:
    """Return since when all alerts of an open incident are over; None: they are not.

    That is a reason to look whether it can be resolved, not to do it.
    """
    if incident.resolved_at:
        return None
    known = [each.resolved_at for each in alerts if each.resolved_at is not None]
    return max(known) if known and len(known) == len(alerts) else None
