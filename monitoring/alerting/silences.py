"""Telling nobody of what is known: until a time, for a reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from monitoring import words
from monitoring.errors import Conflict, InvalidTime
from monitoring.models import Alert, Silence

log = structlog.get_logger(__name__)

MAX_LENGTH = timedelta(days=30)
_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The alerts that are meant: of this name and this label; empty: of any."""

    name: str = ""
    label: str = ""


def create(
    target: Target,
    *,
    ends_at: datetime | None,
    reason: str,
    actor: str,
    now: datetime,
) -> Silence:
    """Silence these alerts from now on.

    Raises: InvalidTime, InvalidWords.
    """
    if ends_at is None:
        raise InvalidTime("A silence needs an end: give one within the next 30 days.")
    if not now < ends_at <= now + MAX_LENGTH:
        raise InvalidTime(
            f"A silence can't end at {ends_at:%Y-%m-%d %H:%M} UTC: expected a time "
            f"after {now:%Y-%m-%d %H:%M} and within {MAX_LENGTH.days} days of it."
        )
    silence = Silence.objects.create(
        name=words.cut(target.name, most=_NAME_LENGTH),
        label=words.cut(target.label, most=_NAME_LENGTH),
        starts_at=now,
        ends_at=ends_at,
        reason=words.text(reason, what="reason"),
        created_by=words.cut(actor, most=words.MAX_NAME),
    )
    log.info("silence.created", silence=silence.pk, name=target.name, actor=actor)
    return silence


def end(silence_id: int, *, actor: str, now: datetime) -> None:
    """End a silence early. Raises: Conflict where it has ended, or never was."""
    running = Silence.objects.filter(pk=silence_id, ends_at__gt=now)
    # One that began at this very moment, or later by another clock, was never one.
    if not (
        running.filter(starts_at__lt=now).update(ends_at=now)
        or running.filter(starts_at__gte=now).delete()[0]
    ):
        raise Conflict("This silence has ended already.")
    log.info("silence.ended", silence=silence_id, actor=actor)


def current(now: datetime) -> list[Silence]:
    """Return those that hold now, the one that ends first before the others."""
    holding = Silence.objects.filter(starts_at__lte=now, ends_at__gt=now)
    return list(holding.order_by("ends_at", "pk"))


def covering(alert: Alert, silences: Iterable[Silence]) -> list[Silence]:
    """Return those of these that an alert falls under."""
    return [
        each
        for each in silences
        if each.name in {"", alert.name} and each.label in {"", alert.label}
    ]
