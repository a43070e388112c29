"""What people do with an incident: each step is claimed, and recorded."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from monitoring import incident_words as words
from monitoring.errors import Conflict, InvalidWords, UnknownIncident, WrongStep
from monitoring.models import Alert, Incident, IncidentEntry, Severity

ROLES = ("commander", "technical_lead", "operations", "communications")
UNRESOLVED = tuple(s for s in Incident.Status if s != Incident.Status.RESOLVED)
_TEXTS = ("title", "severity", "impact")
_Kind = IncidentEntry.Kind


def find(incident_id: int) -> Incident:
    """Return an incident. Raises: UnknownIncident."""
    incident = Incident.objects.filter(pk=incident_id).first()
    if incident is None:
        raise UnknownIncident(f"There is no incident {incident_id}; see the list.")
    return incident


def acknowledge(incident_id: int, *, actor: str) -> Incident:
    """Say that somebody is at it; its open alerts count as acknowledged, too.

    Raises: UnknownIncident, WrongStep.
    """
    now = timezone.now()
    with transaction.atomic():
        waiting = Incident.objects.filter(acknowledged_at=None, resolved_at=None)
        if not waiting.filter(pk=incident_id).update(acknowledged_at=now):
            raise WrongStep(_why_not_acknowledged(find(incident_id)))
        _record(incident_id, _Kind.STATUS, "Acknowledged.", actor=actor, at=now)
        joined = IncidentEntry.objects.filter(incident_id=incident_id)
        Alert.objects.filter(
            pk__in=joined.exclude(alert=None).values("alert"),
            resolved_at=None,
            acknowledged_at=None,
        ).update(acknowledged_at=now, acknowledged_by=_name(actor))
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
            f"{status!r} can't be set: expected {_listed(UNRESOLVED)}; an incident "
            f"is resolved by a step of its own."
        )
    text = words.text(text, what="text", is_needed=is_public)
    with transaction.atomic():
        incident = _unresolved(incident_id)
        _require_public(incident, is_public=is_public)
        others = [s for s in UNRESOLVED if s != incident.status]
        if seen is not None and seen != incident.status:
            raise Conflict(f"Somebody set it to {incident.status} in the meantime.")
        if incident.status == status:
            raise WrongStep(f"It is {status} already: expected {_listed(others)}.")
        same = Incident.objects.filter(pk=incident_id, status=incident.status)
        if not same.update(status=status):
            raise Conflict(f"Somebody was first: it is {find(incident_id).status}.")
        told = f"{incident.get_status_display()} → {Incident.Status(status).label}"
        _record(
            incident_id,
            _Kind.STATUS,
            f"{told}. {text}".strip(),
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
        _record(
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
    return _record(incident_id, _Kind.NOTE, text, actor=actor, is_public=is_public)


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
        _record(incident_id, _Kind.STATUS, told, actor=actor)
    return find(incident_id)


def assign(incident_id: int, roles: Mapping[str, str], *, actor: str) -> Incident:
    """Give roles to people, by name; an empty name takes the role away.

    Raises: UnknownIncident, InvalidWords, Conflict.
    """
    given = {
        name: words.line(raw, what=label(name), is_needed=False, most=words.MAX_NAME)
        for name, raw in _known(roles, ROLES).items()
    }
    return _change(incident_id, given, actor=actor)


def describe(incident_id: int, texts: Mapping[str, str], *, actor: str) -> Incident:
    """Change title, severity or impact.

    Raises: UnknownIncident, InvalidWords, Conflict.
    """
    given = dict(_known(texts, _TEXTS))
    if "title" in given:
        given["title"] = words.line(given["title"], what="title")
    if "impact" in given:
        given["impact"] = words.text(given["impact"], what="impact", is_needed=False)
    if given.get("severity", Severity.INFO) not in Severity.values:
        raise InvalidWords(
            f"There is no severity {given['severity']!r}: expected "
            f"{_listed(Severity.values)}."
        )
    return _change(incident_id, given, actor=actor)


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
        _record(incident_id, _Kind.NOTE, text, actor=actor, is_public=True)
    return find(incident_id)


def withdraw(incident_id: int, *, actor: str) -> Incident:
    """Take it off the status page. Raises: UnknownIncident, WrongStep."""
    with transaction.atomic():
        shown = Incident.objects.filter(pk=incident_id, is_public=True)
        if not shown.update(is_public=False):
            find(incident_id)
            raise WrongStep("It is not on the status page: there is nothing to do.")
        _record(incident_id, _Kind.STATUS, "Taken off the status page.", actor=actor)
    return find(incident_id)


def record_message(incident_id: int, text: str, *, actor: str) -> IncidentEntry:
    """Keep what was sent to people; inside the transaction that sends it."""
    return _record(incident_id, _Kind.MESSAGE, text, actor=actor)


def _change(incident_id: int, given: dict[str, str], *, actor: str) -> Incident:
    """Set what differs, unless somebody changed the same in the meantime."""
    with transaction.atomic():
        incident = find(incident_id)
        old = {name: getattr(incident, name) for name in given}
        new = {name: text for name, text in given.items() if text != old[name]}
        if not new:
            return incident
        same: dict[str, Any] = {name: old[name] for name in new}
        if not Incident.objects.filter(pk=incident_id, **same).update(**new):
            raise Conflict("Somebody changed the same in the meantime: look again.")
        told = "\n".join(
            f"{label(name)}: {old[name] or 'none'} → {text or 'none'}"
            for name, text in new.items()
        )
        _record(incident_id, _Kind.STATUS, told, actor=actor)
    return find(incident_id)


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


def _why_not_acknowledged(incident: Incident) -> str:
    if incident.acknowledged_at is None:
        return f"Incident {incident.pk} is resolved: there is nothing to acknowledge."
    return (
        f"Incident {incident.pk} was acknowledged at "
        f"{incident.acknowledged_at:%Y-%m-%d %H:%M} UTC already; add a note instead."
    )


def _known(given: Mapping[str, str], allowed: tuple[str, ...]) -> Mapping[str, str]:
    if wrong := sorted(set(given) - set(allowed)):
        raise InvalidWords(f"{_listed(wrong)}: expected {_listed(allowed)}.")
    return given


def _record(  # noqa: PLR0913 - a row's columns
    incident_id: int,
    kind: IncidentEntry.Kind,
    text: str,
    *,
    actor: str,
    is_public: bool = False,
    at: datetime | None = None,
) -> IncidentEntry:
    return IncidentEntry.objects.create(
        incident_id=incident_id,
        kind=kind,
        text=text,
        actor=_name(actor),
        is_public=is_public,
        at=at or timezone.now(),
    )


def _name(actor: str) -> str:
    return words.cut(actor, most=words.MAX_NAME) or "unknown"


def label(name: str) -> str:
    """Return a column's name as a person would write it."""
    field: Any = Incident._meta.get_field(name)
    return str(field.verbose_name).capitalize()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(str(name) for name in names)
