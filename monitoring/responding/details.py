"""What an incident is called, how bad it is, and who does what about it."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from monitoring import words
from monitoring.errors import Conflict, InvalidWords
from monitoring.models import Incident, IncidentEntry
from monitoring.responding.records import find, record

ROLES = ("commander", "technical_lead", "operations", "communications")
_TEXTS = ("title", "severity", "impact")


def assign(
    incident_id: int,
    roles: Mapping[str, str],
    *,
    actor: str,
    seen: Mapping[str, str] | None = None,
) -> Incident:
    """Give roles to people, by name; an empty name takes the role away.

    `seen` are the names that the actor saw, for some or all of the roles.
    Raises: UnknownIncident, InvalidWords, Conflict.
    """
    given = {
        name: words.line(raw, what=label(name), is_needed=False, most=words.MAX_NAME)
        for name, raw in _known(roles, ROLES).items()
    }
    return _change(incident_id, given, actor=actor, seen=seen)


def describe(
    incident_id: int,
    texts: Mapping[str, str],
    *,
    actor: str,
    seen: Mapping[str, str] | None = None,
) -> Incident:
    """Change title, severity or impact; `seen` is what the actor saw of them.

    Raises: UnknownIncident, InvalidWords, Conflict.
    """
    given = dict(_known(texts, _TEXTS))
    if "title" in given:
        given["title"] = words.line(given["title"], what="title")
    if "impact" in given:
        given["impact"] = words.text(given["impact"], what="impact", is_needed=False)
    if "severity" in given:
        words.severity(given["severity"])
    return _change(incident_id, given, actor=actor, seen=seen)


def label(name: str) -> str:
    """Return a column's name as a person would write it."""
    field: Any = Incident._meta.get_field(name)
    return str(field.verbose_name).capitalize()


def _change(
    incident_id: int,
    given: dict[str, str],
    *,
    actor: str,
    seen: Mapping[str, str] | None,
) -> Incident:
    """Set what differs, unless somebody changed the same in the meantime."""
    with transaction.atomic():
        incident = find(incident_id)
        old = {name: getattr(incident, name) for name in given}
        new = {name: text for name, text in given.items() if text != old[name]}
        if not new:
            return incident
        same: dict[str, Any] = {
            name: (seen or old).get(name, old[name]) for name in new
        }
        if not Incident.objects.filter(pk=incident_id, **same).update(**new):
            raise Conflict(
                "Somebody changed the same in the meantime, so nothing was changed: "
                "look again."
            )
        told = "\n".join(
            f"{label(name)}: {old[name] or 'none'} → {text or 'none'}"
            for name, text in new.items()
        )
        record(incident_id, IncidentEntry.Kind.STATUS, told, actor=actor)
    return find(incident_id)


def _known(given: Mapping[str, str], allowed: tuple[str, ...]) -> Mapping[str, str]:
    if wrong := sorted(set(given) - set(allowed)):
        raise InvalidWords(f"{words.listed(wrong)}: expected {words.listed(allowed)}.")
    return given
