"""What a report says, as it is stored: everything that any form of it shows."""

from datetime import datetime, timedelta
from typing import Any

from monitoring import facts
from monitoring.alerting import rules
from monitoring.reporting import advice
from monitoring.reporting.figures import Comparison
from monitoring.reporting.past import Past
from monitoring.reporting.periods import Window

VERSION = 1
_SETTLES_AT_LEAST = timedelta(minutes=10)


def computed(window: Window, now: datetime) -> dict[str, Any]:
    """Return the report of a window that is over, as of now.

    It is settled when no turn of the window can still be running; until then such turns
    are missing in it. Raises: django.db.Error.
    """
    comparison = Comparison(Past(window), Past(window.before))
    sections = [section.as_json() for section in comparison.sections()]
    values = {
        figure["key"]: figure["value"]
        for section in sections
        for figure in section["figures"]
    }
    return {
        "version": VERSION,
        "period": window.period,
        "begin": _moment(window.begin),
        "end": _moment(window.end),
        "computed_at": _moment(now),
        "is_settled": is_settled(window, now),
        "minutes_recorded": comparison.now.minutes_recorded,
        "minutes": window.minutes,
        "sections": sections,
        "advice": list(advice.sentences(values, rules.thresholds())),
    }


def is_settled(window: Window, now: datetime) -> bool:
    """Tell whether every turn of a window has ended, and was recorded since."""
    return now >= window.end + settles_after()


def settles_after() -> timedelta:
    """Return how long after its end a window's figures may still change."""
    try:
        longest = facts.source().settles_after()
    except LookupError:
        return _SETTLES_AT_LEAST
    return max(_SETTLES_AT_LEAST, longest)


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
