"""What is said of alerts, to people and to programs: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitoring.channels.message import Draft
from monitoring.wording import SPACE, amount

_LISTED = 20
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert as it is told; `resolved_at` is None while it is on.

    `is_known`: people have been told before that it is on. `frozen_since`: since when
    there is no data, so that the value is of then.
    """

    name: str
    label: str
    severity: str
    summary: str
    runbook: str
    event_count: int
    value: float | None
    unit: str
    began_at: datetime
    resolved_at: datetime | None
    frozen_since: datetime | None
    is_known: bool

    @property
    def title(self) -> str:
        """Name it with its part."""
        return f"{self.name} ({self.label})" if self.label else self.name


def draft(
    told: Sequence[Told], *, severity: str, now: datetime, link: str = ""
) -> Draft:
    """Put all of one severity into one message: new, still on, and over."""
    new = [each for each in told if not (each.resolved_at or each.is_known)]
    still = [each for each in told if each.is_known and not each.resolved_at]
    over = [each for each in told if each.resolved_at]
    listed = [*new, *still, *over][:_LISTED]
    more_count = len(told) - len(listed)
    parts = [
        _section(head, [each for each in listed if each in members], now)
        for head, members in (("New", new), ("Still on", still), ("Resolved", over))
    ]
    if more_count:
        parts.append(f"… and {more_count} more.")
    if link:
        parts.append(link)
    return Draft(
        severity=severity,
        subject=_subject(new, still, over, severity=severity),
        text="\n\n".join(part for part in parts if part),
        payload={
            "kind": "alerts",
            "alerts": [_document(each) for each in listed],
            "more_count": more_count,
            "link": link,
        },
    )


def lasted(span: timedelta) -> str:
    """Return a duration in the two largest units that it has."""
    left = max(0, int(span.total_seconds()))
    found = []
    for unit, seconds in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            found.append(f"{count} {unit}")
    return " ".join(found[:2]) or "0 s"


def _subject(
    new: Sequence[Told], still: Sequence[Told], over: Sequence[Told], *, severity: str
) -> str:
    is_over = not (new or still)
    mark = "RESOLVED" if is_over else severity.upper()
    shown = over if is_over else [*new, *still]
    if len(shown) == 1:
        return f"[{mark}] {shown[0].title}: {shown[0].summary}"
    names = list(dict.fromkeys(each.name for each in shown))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"[{mark}] {len(shown)} alerts: {', '.join(names[:_NAMED])}{more}"


def _section(head: str, members: Sequence[Told], now: datetime) -> str:
    lines = [line for each in members for line in _lines(each, now)]
    return "\n".join([f"{head}:", *lines]) if lines else ""


def _lines(told: Told, now: datetime) -> list[str]:
    end = told.resolved_at or now
    span = lasted(end - told.began_at)
    since = f"since {told.began_at:%Y-%m-%d %H:%M} UTC"
    facts = [f"it lasted {span}" if told.resolved_at else f"{since}, for {span}"]
    facts += _measured(told)
    if told.event_count > 1:
        facts.append(f"raised {told.event_count:,} times")
    lines = [f"- {told.title}: {told.summary}", f"  {'; '.join(facts)}"]
    if told.runbook and not told.resolved_at:
        lines.append(f"  What to do: {told.runbook}")
    return lines


def _measured(told: Told) -> list[str]:
    if told.resolved_at:
        return []
    is_old = told.frozen_since is not None
    facts = [f"no data since {told.frozen_since:%Y-%m-%d %H:%M} UTC"] if is_old else []
    if told.value is None:
        return facts
    value = amount(told.value, told.unit).replace(SPACE, " ")  # for plain mail
    return [*facts, f"{'last' if is_old else 'now'} {value}"]


def _document(told: Told) -> dict[str, Any]:
    return {
        "name": told.name,
        "label": told.label,
        "severity": told.severity,
        "state": "resolved" if told.resolved_at else "firing",
        "summary": told.summary,
        "runbook": told.runbook,
        "event_count": told.event_count,
        "value": told.value,
        "unit": told.unit,
        "began_at": told.began_at.isoformat(),
        "resolved_at": told.resolved_at and told.resolved_at.isoformat(),
        "frozen_since": told.frozen_since and told.frozen_since.isoformat(),
    }
