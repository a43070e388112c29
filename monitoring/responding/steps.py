"""What people do with an incident: each step is claimed, and recorded."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from monitoring import words
from monitoring.errors import Conflict, InvalidWords, WrongStep
from monitoring.models import Incident, IncidentEntry
from monitoring.responding.records import alerts_of, find, name_of, record

UNRESOLVED = tuple(s for s in Incident.Status if s != Incident.Status.RESOLVED)
_Kind = IncidentEntry.Kind


def acknowledge(incident_id: int, *, actor: str) -> Incident:
    """Say that somebody is at it; its open alerts count as acknowledged, too.

    Raises: UnknownIncident, WrongStep, Conflict.
    """
    now = timezone.now()
    with transaction.atomic():
        waiting = Incident.objects.filter(acknowledged_at=None, resolved_at=None)
        if not waiting.filter(pk=incident_id).update(acknowledged_at=now):
            raise _why_not_acknowledged(find(incident_id))
        record(incident_id, _Kind.STATUS, "Acknowledged.", actor=actor, at=now)
        waiting_alerts = alerts_of(incident_id).filter(
            resolved_at=None, acknowledged_at=None
        )
        waiting_alerts.update(acknowledged_at=now, acknowledged_by=name_of(actor))
    return find(incident_id)


def set_status(  # noqa: PLR0913 - one step of a person, all of it optional but two
    incident_id: int,
    status: str,
    *,
    actor: str,
    text: str = "",
    seen: str | None = None,
    is_public: bool = False,
) -> Incident:
    """Go on to another status that is not resolved; `seen` is what the actor saw.

    Raises: UnknownIncident, InvalidWords, WrongStep, Conflict.
    """
    if status not in UNRESOLVED:
        raise WrongStep(
            f"{status!r} can't be set: expected {words.listed(UNRESOLVED)}; an "
            f"incident is resolved by a step of its own."
        )
    text = words.text(text, what="text", is_needed=is_public)
    with transaction.atomic():
        incident = _unresolved(incident_id)
        _require_public(incident, is_public=is_public)
        others = [s for s in UNRESOLVED if s != incident.status]
        if seen is not None and seen != incident.status:
            raise Conflict(f"Somebody set it to {incident.status} in the meantime.")
        if incident.status == status:
            raise WrongStep(f"It is {status} already: expected {words.listed(others)}.")
        same = Incident.objects.filter(pk=incident_id, status=incident.status)
        if not same.update(status=status):
            raise Conflict(f"Somebody was first: it is {find(incident_id).status}.")
        told = f"{Incident.Status(status).label}. {text}".strip()
        record(
            incident_id,
            _Kind.STATUS,
            told,
            actor=actor,
            is_public=is_public,
        )
    return find(incident_id)


def resolve(
    incident_id: int, *, actor: str, text: str = "", is_public: bool = False
) -> Incident:
    """End it. Raises: UnknownIncident, InvalidWords, WrongStep."""
    text = words.text(text, what="text", is_needed=is_public)
    now = timezone.now()
    with transaction.atomic():
        incident = _unresolved(incident_id)
        _require_public(incident, is_public=is_public)
        open_one = Incident.objects.filter(pk=incident_id, resolved_at=None)
        if not open_one.update(
            status=Incident.Status.RESOLVED,
            resolved_at=max(now, incident.detected_at),
            next_update_at=None,
        ):
            _unresolved(incident_id)
        told = f"Resolved. {text}".strip()
        record(
            incident_id, _Kind.STATUS, told, actor=actor, is_public=is_public, at=now
        )
    return find(incident_id)


def add_note(
    incident_id: int, text: str, *, actor: str, is_public: bool = False
) -> IncidentEntry:
    """Write down what was done or found, also after its end.

    Raises: UnknownIncident, InvalidWords.
    """
    text = words.text(text, what="note")
    incident = find(incident_id)
    _require_public(incident, is_public=is_public)
    return record(incident_id, _Kind.NOTE, text, actor=actor, is_public=is_public)


def promise_update(incident_id: int, at: datetime | None, *, actor: str) -> Incident:
    """Say when people hear more; None: no time is promised.

    Raises: UnknownIncident, WrongStep, InvalidWords.
    """
    if at is not None and at <= timezone.now():
        raise InvalidWords(f"{at:%Y-%m-%d %H:%M} UTC is over: promise a later time.")
    told = f"Next update at {at:%H:%M} UTC." if at else "No time for the next update."
    with transaction.atomic():
        _unresolved(incident_id)
        Incident.objects.filter(pk=incident_id).update(next_update_at=at)
        record(incident_id, _Kind.STATUS, told, actor=actor)
    return find(incident_id)


def publish(incident_id: int, *, title: str, text: str, actor: str) -> Incident:
    """Show it on the status page, under a title and with a first update for anybody.

    Raises: UnknownIncident, InvalidWords, WrongStep.
    """
    title = words.line(title, what="public title")
    text = words.text(text, what="first public update")
    with transaction.atomic():
        hidden = Incident.objects.filter(pk=incident_id, is_public=False)
        if not hidden.update(is_public=True, public_title=title):
            find(incident_id)
            raise WrongStep("It is on the status page already: add a public note.")
        record(incident_id, _Kind.STATUS, text, actor=actor, is_public=True)
    return find(incident_id)


def withdraw(incident_id: int, *, actor: str) -> Incident:
    """Take it off the status page, with all that was said there.

    Published again it begins anew: what was taken back does not come back with it.
    Raises: UnknownIncident, WrongStep.
    """
    with transaction.atomic():
        shown = Incident.objects.filter(pk=incident_id, is_public=True)
        if not shown.update(is_public=False):
            find(incident_id)
            raise WrongStep("It is not on the status page: there is nothing to do.")
        said = IncidentEntry.objects.filter(incident_id=incident_id, is_public=True)
        said.update(is_public=False)
        record(incident_id, _Kind.STATUS, "Taken off the status page.", actor=actor)
    return find(incident_id)


def record_message(incident_id: int, text: str, *, actor: str) -> IncidentEntry:
    """Keep what was sent to people; inside the transaction that sends it."""
    return record(incident_id, _Kind.MESSAGE, text, actor=actor)


def _unresolved(incident_id: int) -> Incident:
    incident = find(incident_id)
    if incident.resolved_at is not None:
        raise WrongStep(
            f"Incident {incident_id} is resolved since "
            f"{incident.resolved_at:%Y-%m-%d %H:%M} UTC; notes can still be added. If "
            f"the trouble is back, open a new incident."
        )
    return incident


def _require_public(incident: Incident, *, is_public: bool) -> None:
    if is_public and not incident.is_public:
        raise InvalidWords(
            "It is not on the status page, so nothing can be said there: publish it "
            "first."
        )


def _why_not_acknowledged(incident: Incident) -> Conflict | WrongStep:
    if incident.acknowledged_at is None:
        return WrongStep(
            f"Incident {incident.pk} is resolved: there is nothing to acknowledge."
        )
    return Conflict(
        f"Incident {incident.pk} was acknowledged at "
        f"{incident.acknowledged_at:%Y-%m-%d %H:%M} UTC already; add a note instead."
    )
