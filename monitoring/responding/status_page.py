"""What anybody may know: how the parts of the service are, and published incidents.

Nothing internal is in it: no sentence of a check, no alert, no name of a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch, QuerySet

from monitoring import checkups, health
from monitoring.models import Incident, IncidentEntry
from monitoring.probing import Finding
from monitoring.registry import DEGRADED, HEALTHY, STATES, UNHEALTHY

PAST = timedelta(days=90)
_MOST_OPEN, _MOST_PAST, _MOST_UPDATES = 20, 50, 30

UNKNOWN = "unknown"
_CANT_TELL = "We can't tell right now."


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the service; `state` is one of `STATES`, or `unknown`."""

    name: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Update:
    """What the public was told, and when."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A published incident, the newest update first."""

    id: int
    title: str
    status: str
    began_at: datetime
    resolved_at: datetime | None
    updates: list[Update]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything on the page, as it was at one moment."""

    at: datetime
    parts: list[Part]
    open_notices: list[Notice]
    past_notices: list[Notice]

    @property
    def state(self) -> str:
        """The worst of the parts; `unknown` only where nothing worse is known."""
        states = {part.state for part in self.parts}
        worst = max((s for s in states if s in STATES), key=STATES.index, default=None)
        if worst in {None, HEALTHY} and UNKNOWN in states:
            return UNKNOWN
        return worst or UNKNOWN

    @property
    def headline(self) -> str:
        """The whole in one sentence."""
        if self.open_notices:
            count = len(self.open_notices)
            return f"We are working on {count} problem{'s' if count > 1 else ''}."
        return _HEADLINES[self.state]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a part's state comes from, and its words for each state.

    `grave` checks count only once they are unhealthy: before, nobody notices.
    """

    name: str
    service: str
    checks: frozenset[str]
    words: Mapping[str, str]
    grave: frozenset[str] = frozenset()


_HEADLINES = {
    HEALTHY: "Everything works.",
    DEGRADED: "It works, with limits.",
    UNHEALTHY: "A part does not work.",
    UNKNOWN: "We can't tell everything right now.",
}
_SOURCES = (
    _Source(
        name="Chat",
        service="database",
        checks=frozenset({"database_write", "migrations"}),
        grave=frozenset({"disk", "memory"}),
        words={
            HEALTHY: "Messages can be sent and read.",
            DEGRADED: "Sending a message may take longer.",
            UNHEALTHY: "Messages can't be sent now.",
        },
    ),
    _Source(
        name="Model",
        service="gemini_api",
        checks=frozenset({"model"}),
        words={
            HEALTHY: "Questions are answered.",
            DEGRADED: "Some answers may fail; they can be tried again.",
            UNHEALTHY: "Questions are not answered now.",
        },
    ),
    _Source(
        name="Background work",
        service="background_jobs",
        checks=frozenset({"worker", "broker", "beat"}),
        words={
            HEALTHY: "It is on time.",
            DEGRADED: "It is late. Nothing is lost.",
            UNHEALTHY: "It stands still. Nothing is lost.",
        },
    ),
    _Source(
        name="Database",
        service="database",
        checks=frozenset({"database", "database_write", "migrations"}),
        words={
            HEALTHY: "It can be read and written.",
            DEGRADED: "It is busy.",
            UNHEALTHY: "It can't be written now.",
        },
    ),
)


def read(now: datetime, *, asked: Iterable[Finding] = ()) -> Snapshot:
    """Read everything; `asked` are checks that were run for it right now.

    Raises: Error where the database does not answer.
    """
    found = _findings(now) | {each.name: each.status for each in asked}
    services = {name: each.health for name, each in health.services().items()}
    open_ones = _public().filter(resolved_at=None)[:_MOST_OPEN]
    past = _public().filter(resolved_at__gte=now - PAST)[:_MOST_PAST]
    return Snapshot(
        at=now,
        parts=[_part(source, services, found) for source in _SOURCES],
        open_notices=[_notice(incident) for incident in open_ones],
        past_notices=[_notice(incident) for incident in past],
    )


def as_json(snapshot: Snapshot) -> dict[str, object]:
    """Return it for programs."""
    return {
        "status": snapshot.state,
        "headline": snapshot.headline,
        "at": snapshot.at.isoformat(timespec="seconds"),
        "parts": [
            {"name": part.name, "status": part.state, "words": part.words}
            for part in snapshot.parts
        ],
        "open_incidents": [_notice_json(each) for each in snapshot.open_notices],
        "past_incidents": [_notice_json(each) for each in snapshot.past_notices],
    }


def silence(now: datetime) -> dict[str, object]:
    """Return for programs that nothing can be told."""
    return {
        "status": UNKNOWN,
        "headline": _CANT_TELL,
        "at": now.isoformat(timespec="seconds"),
        "parts": [],
        "open_incidents": [],
        "past_incidents": [],
    }


def _findings(now: datetime) -> dict[str, str]:
    """Return the newest state of each check that was run lately, by name."""
    newest = checkups.newest(since=now - checkups.FRESH_FOR)
    return {name: each.status for name, each in newest.items()}


def _part(
    source: _Source, services: Mapping[str, str], found: Mapping[str, str]
) -> Part:
    states = [found[name] for name in source.checks if name in found]
    states += [UNHEALTHY for name in source.grave if found.get(name) == UNHEALTHY]
    if source.service in services:
        states.append(services[source.service])
    state = _worst(states)
    return Part(source.name, state, source.words.get(state, _CANT_TELL))


def _worst(states: Iterable[str]) -> str:
    known = [state for state in states if state in STATES]
    return max(known, key=STATES.index, default=UNKNOWN)


def _public() -> "QuerySet[Incident]":
    updates = IncidentEntry.objects.filter(is_public=True).order_by("-at", "-id")
    return (
        Incident.objects.filter(is_public=True)
        .order_by("-started_at", "-id")
        .prefetch_related(Prefetch("entries", updates, to_attr="public_updates"))
    )


def _notice(incident: Incident) -> Notice:
    updates: list[IncidentEntry] = incident.public_updates  # type: ignore[attr-defined]
    return Notice(
        id=incident.pk,
        title=incident.public_title,
        status=incident.get_status_display(),
        began_at=incident.started_at,
        resolved_at=incident.resolved_at,
        updates=[Update(each.at, each.text) for each in updates[:_MOST_UPDATES]],
    )


def _notice_json(notice: Notice) -> dict[str, object]:
    resolved_at = notice.resolved_at
    return {
        "title": notice.title,
        "status": notice.status.lower(),
        "began_at": notice.began_at.isoformat(timespec="seconds"),
        "resolved_at": resolved_at and resolved_at.isoformat(timespec="seconds"),
        "updates": [
            {"at": each.at.isoformat(timespec="seconds"), "text": each.text}
            for each in notice.updates
        ],
    }
