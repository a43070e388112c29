"""The points of a window as they are stored, and the change to what they should be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from monitoring.history.summary import COLUMNS, Summary
from monitoring.models import Point

_BATCH = 500


class Key(NamedTuple):
    """Which point of one step it is."""

    begin: datetime
    name: str
    label: str


Points: TypeAlias = Mapping[Key, Summary]


@dataclass(slots=True)
class Stored:
    """The points of one step in a window, and the row of each."""

    step: Point.Step
    points: dict[Key, Summary] = field(default_factory=dict)
    ids: dict[Key, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """Rows to delete and rows to insert; what is stored already is in neither."""

    gone: tuple[int, ...]
    new: tuple[Point, ...]

    def apply(self) -> None:
        """Write it, in the transaction that is open."""
        for first in range(0, len(self.gone), _BATCH):
            Point.objects.filter(pk__in=self.gone[first : first + _BATCH]).delete()
        Point.objects.bulk_create(self.new, batch_size=_BATCH)


def read(step: Point.Step, begin: datetime, end: datetime) -> Stored:
    """Return what is stored of a window."""
    found = Stored(step)
    rows = Point.objects.filter(step_s=step, begin__gte=begin, begin__lt=end)
    fields = ("pk", "begin", "name", "label", *COLUMNS, "sketch")
    for pk, at, name, label, *known in rows.order_by().values_list(*fields):
        key = Key(at, name, label)
        found.ids[key] = pk
        found.points[key] = Summary.stored(*known)
    return found


def change(was: Stored, wanted: Points) -> Change:
    """Return what makes stored points the wanted ones, and no other."""
    stale = [key for key, point in was.points.items() if wanted.get(key) != point]
    fresh = [key for key, point in wanted.items() if was.points.get(key) != point]
    return Change(
        gone=tuple(was.ids[key] for key in stale),
        new=tuple(_row(was.step, key, wanted[key]) for key in fresh),
    )


def _row(step: Point.Step, key: Key, point: Summary) -> Point:
    return Point(
        step_s=step,
        **key._asdict(),
        count=point.count,
        total=point.total,
        low=point.low,
        high=point.high,
        sketch=None if point.spread is None else point.spread.runs,
    )
