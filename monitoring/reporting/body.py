"""What a report says, as it is stored: everything that any form of it shows."""

from datetime import datetime
from typing import Any

from monitoring.alerting import rules
from monitoring.history.state import State
from monitoring.reporting import advice
from monitoring.reporting.figures import Comparison
from monitoring.reporting.past import Past
from monitoring.reporting.periods import Window

VERSION = 1


def computed(window: Window, now: datetime) -> dict[str, Any]:
    """Return the report of a window that is over, as of now.

    It is settled once the window is recorded for good: until then, turns that still ran
    or were not recorded yet are missing in it. Raises: django.db.Error.
    """
    until = State.read().until  # first, or it would be of a later moment
    comparison = Comparison(Past(window), Past(window.before))
    sections = [section.as_json() for section in comparison.sections()]
    turns_from = comparison.now.turns_from
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
        "is_settled": until is not None and until >= window.end,
        "minutes_recorded": comparison.now.minutes_recorded,
        "minutes": window.minutes,
        "turns_from": turns_from and _moment(turns_from),
        "sections": sections,
        "advice": list(advice.sentences(values, rules.thresholds())),
    }


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
