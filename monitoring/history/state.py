"""How far the history is recorded; kept among the totals, as whole numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from django.db.models import F

from monitoring.history.names import COUNTED
from monitoring.history.sampling import Totals
from monitoring.models import Total

_RUN, _UNTIL = "history_run", "history_until"
_NEWEST, _TURNS_FROM = "history_newest", "history_turns_from"


@dataclass(frozen=True, slots=True)
class State:
    """Times are None before the first run.

    `until`: all before is recorded. `newest`: how late it ever was. `turns_from`:
    turns before were not measured. `totals`: what was counted when it was last looked
    at.
    """

    run: int
    until: datetime | None
    newest: datetime | None
    turns_from: datetime | None
    totals: Totals

    @classmethod
    def read(cls) -> Self:
        """Return how far it is now."""
        rows = Total.objects.filter(name__startswith="history_")
        found = dict(rows.values_list("name", "value"))
        return cls(
            run=found.get(_RUN, 0),
            until=_moment(found.get(_UNTIL)),
            newest=_moment(found.get(_NEWEST)),
            turns_from=_moment(found.get(_TURNS_FROM)),
            totals=_totals(found),
        )


def claim(run: int) -> bool:
    """Be the only one who writes after this run, in the transaction that is open."""
    Total.objects.get_or_create(name=_RUN)
    mine = Total.objects.filter(name=_RUN, value=run)
    return mine.update(value=F("value") + 1) == 1


def put(
    *,
    until: datetime | None = None,
    newest: datetime | None = None,
    turns_from: datetime | None = None,
    totals: Totals | None = None,
) -> None:
    """Store what is given; None changes nothing."""
    moments = {_UNTIL: until, _NEWEST: newest, _TURNS_FROM: turns_from}
    values = {n: int(at.timestamp()) for n, at in moments.items() if at is not None}
    values |= {_seen(*key): n for key, n in (totals or {}).items()}
    Total.objects.bulk_create(
        [Total(name=name, value=value) for name, value in sorted(values.items())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["value"],
    )


def _seen(name: str, label: str) -> str:
    return f"history_{name}_{label}"


def _totals(found: Mapping[str, int]) -> Totals:
    return {
        (name, total.removeprefix(_seen(name, ""))): value
        for name in COUNTED
        for total, value in found.items()
        if total.startswith(_seen(name, ""))
    }


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
