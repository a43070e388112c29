"""Changes of flag and settings, as the timeline of an incident tells them."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from flags import wording
from flags.conf import PERCENT, USE
from flags.errors import InvalidValue
from flags.models import Change
from monitoring.registry import Event, Rollback

MOST = 1000
_EFFECTS = (
    "Answers in long conversations that take a little longer to begin.",
    "Nothing is lost: every conversation keeps its messages and goes on.",
)


def changes(begin: datetime, end: datetime) -> Iterator[Event]:
    """Tell what people and automation changed; not the first start's own values."""
    made = Change.objects.filter(created_at__gte=begin, created_at__lt=end)
    by_somebody = made.exclude(channel=Change.Channel.ENVIRONMENT)
    for change in by_somebody.order_by("-id")[:MOST]:
        old, new = (wording.text(change.name, raw) for raw in (change.old, change.new))
        yield Event(
            at=change.created_at,
            kind="setting",
            text=f"{change.name} {old} → {new}: {change.reason}",
            actor=change.actor,
            rollback=_rollback(change),
        )


def _rollback(change: Change) -> Rollback | None:
    """Return what it took back; None where nobody lost the feature by it."""
    extent = _extent(change)
    if extent is None:
        return None
    return Rollback(
        reason=change.reason,
        extent=extent,
        impact="MINIMAL",
        duration="A few seconds; each conversation follows at its next turn",
        effects=_EFFECTS,
    )


def _extent(change: Change) -> str | None:
    try:
        if change.name == USE.name:
            is_lost = USE.parse(change.old) and not USE.parse(change.new)
            return "FEATURE" if is_lost else None
        if change.name == PERCENT.name:
            return _extent_of_percent(
                PERCENT.parse(change.old), PERCENT.parse(change.new)
            )
    except InvalidValue:
        return None
    return None


def _extent_of_percent(old: Decimal, new: Decimal) -> str | None:
    if new >= old:
        return None
    return "PARTIAL" if new else "FEATURE"
