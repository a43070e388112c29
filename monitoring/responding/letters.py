"""What people are told of an incident: drafts with gaps, and the sending.

What is not known stays in the draft as `[FIELD NAME]`, and such a letter is not sent.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction

from monitoring import notify, words
from monitoring.errors import Conflict, InvalidWords, NobodyTold
from monitoring.models import Incident, IncidentEntry, Severity
from monitoring.registry import Rollback
from monitoring.responding import records, steps, timeline

_MOST_ACTIONS = 8
_GAP = re.compile(r"\[[A-Z][A-Z0-9 /]*\]")
# These stand in subjects and are no gaps.
_TAGS = {"[CRITICAL]", "[WARNING]", "[INFO]", "[NOTICE]"}
_STATUS = {
    Incident.Status.INVESTIGATING: "INVESTIGATING",
    Incident.Status.IDENTIFIED: "MITIGATING",
    Incident.Status.MONITORING: "MITIGATING",
    Incident.Status.RESOLVED: "RESOLVED",
}
_UNKNOWN_ROLLBACK = Rollback(
    reason="[ROLLBACK REASON]",
    extent="[FEATURE/PARTIAL/FULL]",
    impact="[MINIMAL/MODERATE/SIGNIFICANT]",
    duration="[ESTIMATED TIME]",
    effects=("[IMPACT 1]", "[IMPACT 2]"),
)


class Kind(models.TextChoices):
    """The two letters."""

    ISSUE = "issue", "issue notification"
    ROLLBACK = "rollback", "rollback notification"


@dataclass(frozen=True, slots=True)
class Letter:
    """What people get to read."""

    subject: str
    body: str


def draft(kind: Kind, incident: Incident, *, now: datetime) -> Letter:
    """Fill in what is known of the incident."""
    if kind is Kind.ISSUE:
        return _issue(incident, now)
    return _rollback(incident, now)


def gaps(letter: Letter) -> list[str]:
    """Return every `[FIELD NAME]` that somebody still has to fill in."""
    found = _GAP.findall(f"{letter.subject}\n{letter.body}")
    return [gap for gap in dict.fromkeys(found) if gap not in _TAGS]


def checked(letter: Letter) -> Letter:
    """Return it as it would be sent. Raises: InvalidWords, which names the gaps."""
    clean = Letter(
        subject=words.line(letter.subject, what="subject"),
        body=words.text(letter.body, what="message"),
    )
    if left := gaps(clean):
        raise InvalidWords(
            f"Not sent: {', '.join(left)} must be filled in, or the line removed."
        )
    return clean


def last_sent(incident: Incident) -> int:
    """Return the number of the last message that was sent of it; 0: none."""
    sent = incident.entries.filter(kind=IncidentEntry.Kind.MESSAGE)
    return sent.order_by("-id").values_list("id", flat=True).first() or 0


def send(incident_id: int, kind: Kind, letter: Letter, *, actor: str, seen: int) -> int:
    """Hand it to every channel that takes this severity; return how many those are.

    `seen` is `last_sent` as the actor saw it, so that no second click and no second
    person sends it twice.
    Raises: UnknownIncident, InvalidWords, Conflict, NobodyTold.
    """
    clean = checked(letter)
    records.find(incident_id)
    with transaction.atomic():
        incident = Incident.objects.select_for_update().get(pk=incident_id)
        if last_sent(incident) != seen:
            raise Conflict(
                "Not sent: a message was sent in the meantime. Read it in the "
                "timeline, and send another one if it is still needed."
            )
        count = notify.broadcast(
            clean.subject,
            clean.body,
            severity=incident.severity,
            payload=_payload(incident, kind),
        )
        if not count:
            raise NobodyTold(
                f"Not sent: no channel that is switched on takes messages of the "
                f"severity {incident.severity}. See the channels."
            )
        told = f"{clean.subject}\n\n{clean.body}"
        steps.record_message(incident_id, told, actor=actor)
    return count


def _issue(incident: Incident, now: datetime) -> Letter:
    is_critical = incident.severity == Severity.CRITICAL
    resolved_at = incident.resolved_at
    eta = f"resolved at {resolved_at:%H:%M} UTC" if resolved_at else ""
    body = f"""\
{"A critical issue" if is_critical else "An issue"} has been detected with \
Oracle Chat AI:

Issue: {incident.title or "[DESCRIPTION]"}
Impact: {incident.impact or "[USER IMPACT]"}
Status: {_STATUS[Incident.Status(incident.status)]}
ETA: {eta or "[ESTIMATED RESOLUTION TIME]"}

Actions taken:
{_list(_actions(incident) or ["[ACTION 1]", "[ACTION 2]"])}

Next update in: {_next_update(incident, now) or "[TIME]"}

Incident Commander: {incident.commander or "[NAME]"}
"""
    subject = f"[{incident.severity.upper()}] Oracle Chat AI System Issue"
    return Letter(subject, body)


def _rollback(incident: Incident, now: datetime) -> Letter:
    done = _last_rollback(incident, now)
    known = done or _UNKNOWN_ROLLBACK
    body = f"""\
A rollback has been initiated for Oracle Chat AI:

Reason: {known.reason}
Rollback Type: {known.extent}
Expected Impact: {known.impact}
Duration: {known.duration}

Current Status: {"COMPLETED" if done else "[IN PROGRESS/COMPLETED]"}

Users may experience:
{_list(known.effects)}

Updates: {_next_update(incident, now) or "[UPDATE SCHEDULE]"}
"""
    return Letter("[NOTICE] Oracle Chat AI Rollback Initiated", body)


def _last_rollback(incident: Incident, now: datetime) -> Rollback | None:
    events = timeline.events(incident, now=now)
    done = [event.rollback for event in events if event.rollback]
    return done[-1] if done else None


def _actions(incident: Incident) -> list[str]:
    """Return what people wrote down, one line each, the oldest first."""
    notes = incident.entries.filter(kind=IncidentEntry.Kind.NOTE)
    newest = notes.order_by("-at", "-id").values_list("text", flat=True)
    lines = [words.cut(text, most=words.MAX_LINE) for text in newest[:_MOST_ACTIONS]]
    return lines[::-1]


def _next_update(incident: Incident, now: datetime) -> str:
    """Return when people hear more; empty where no time to come was promised."""
    if incident.resolved_at:
        return "none is planned, it is over"
    at = incident.next_update_at
    if at is None or at <= now:
        return ""
    minutes = max(1, round((at - now).total_seconds() / 60))
    return f"{minutes} minute{'s' if minutes > 1 else ''} (at {at:%H:%M} UTC)"


def _list(lines: list[str] | tuple[str, ...]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _payload(incident: Incident, kind: Kind) -> dict[str, object]:
    return {
        "kind": f"incident.{kind.value}",
        "incident": incident.pk,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status,
    }
