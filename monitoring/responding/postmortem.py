"""An incident as a Markdown document; what only people know is left to be written."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from monitoring.models import Incident
from monitoring.responding import durations, records, timeline
from monitoring.responding.details import ROLES, label
from monitoring.responding.durations import NOT_YET, words
from monitoring.responding.timeline import Line

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&])")
_CHANGES = {"setting", "deployment", "decision", "rollout"}
_TO_FILL = ("What went well", "What went wrong", "Actions")


def markdown(incident: Incident, *, now: datetime) -> str:
    """Return the whole document."""
    told = timeline.of(incident, now=now)
    parts = [
        f"# Post-mortem: {escaped(incident.title)}",
        _facts(incident),
        _section("Impact", escaped(incident.impact) or "Nobody has described it."),
        _section("Timeline", _timeline(told)),
        _section("Alerts", _alerts(incident)),
        _section("Changes", _changes(told.lines)),
        *(_section(title, "_To be written._") for title in _TO_FILL),
    ]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, on one line, also in a table."""
    one_line = " / ".join(part.strip() for part in text.splitlines() if part.strip())
    return _SPECIAL.sub(r"\\\1", one_line)


def _facts(incident: Incident) -> str:
    times = durations.of(incident)
    rows = [
        ("Number", str(incident.pk)),
        ("Severity", incident.severity),
        ("Status", incident.status),
        ("Opened by", escaped(incident.opened_by)),
        ("Started", _in_utc(incident.started_at)),
        ("Detected", _in_utc(incident.detected_at)),
        ("Acknowledged", _in_utc(incident.acknowledged_at)),
        ("Resolved", _in_utc(incident.resolved_at)),
        ("Time to detect", words(times.detect_s, missing=NOT_YET)),
        ("Time to acknowledge", words(times.acknowledge_s, missing=NOT_YET)),
        ("Time to resolve", words(times.resolve_s, missing=NOT_YET)),
    ]
    roles = [
        (label(role), escaped(getattr(incident, role)) or "nobody") for role in ROLES
    ]
    return _table(("Fact", "Value"), rows + roles)


def _timeline(told: timeline.Timeline) -> str:
    rows = [
        (_moment(line.at), line.kind, escaped(line.text), escaped(line.actor))
        for line in told.lines
    ]
    note = f"{told.left_out} older lines are left out.\n\n" if told.left_out else ""
    return note + _table(("Time (UTC)", "Kind", "What happened", "Who"), rows)


def _alerts(incident: Incident) -> str:
    rows = [
        (
            escaped(str(alert)),
            alert.severity,
            _moment(alert.fired_at),
            _moment(alert.resolved_at),
            escaped(alert.summary),
        )
        for alert in records.alerts_of(incident.pk).order_by("fired_at", "id")
    ]
    return _table(("Alert", "Severity", "Fired (UTC)", "Over (UTC)", "Summary"), rows)


def _changes(lines: Iterable[Line]) -> str:
    rows = [
        (_moment(line.at), escaped(line.text), escaped(line.actor))
        for line in lines
        if line.kind in _CHANGES
    ]
    return _table(("Time (UTC)", "Change", "Who"), rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "None."
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _in_utc(at: datetime | None) -> str:
    return f"{_moment(at)} UTC" if at else NOT_YET


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else NOT_YET
