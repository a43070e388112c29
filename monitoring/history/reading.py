"""What a series was, over any window: its minutes and hours, added up.

A minute or an hour belongs to the window that its begin is in, so windows beside each
other share nothing. Minutes are kept for a week; before that, hours are all there is.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.db.models import Max, Min, QuerySet, Sum
from django.utils import timezone

from monitoring.facts import Timing
from monitoring.history import HOUR, KEEP_MINUTES, MINUTE, hour_of, sources
from monitoring.history.summary import COLUMNS, Summary
from monitoring.models import Point

_ALL_HOURS_FROM = _ROWS_FOR = timedelta(days=1)
_HOUR_S = Point.Step.HOUR.value

Span: TypeAlias = tuple[Point.Step, datetime, datetime]
Parts: TypeAlias = dict[Any, list[Summary]]


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the equal steps of a window."""

    begin: datetime
    summary: Summary


def summary(
    name: str,
    *,
    begin: datetime,
    end: datetime,
    label: str | None = None,
    has_spread: bool = True,
) -> Summary:
    """Summarise a series; a label of None is all of them together.

    Without its spread it has no percentiles, and is read many times as fast.
    """
    found = by_label(name, begin=begin, end=end, has_spread=has_spread)
    if label is not None:
        return found.get(label, Summary())
    return Summary.merged(found.values())


def by_label(
    name: str, *, begin: datetime, end: datetime, has_spread: bool = True
) -> dict[str, Summary]:
    """Summarise each label of a series that has data, by name."""
    parts: Parts = defaultdict(list)
    for span in _whole(begin, end):
        for label, part in _parts(name, span, has_spread=has_spread):
            parts[label].append(part)
    return {label: Summary.merged(found) for label, found in sorted(parts.items())}


def labels(name: str, *, begin: datetime, end: datetime) -> list[str]:
    """Return which labels a series has data of."""
    return sorted(by_label(name, begin=begin, end=end, has_spread=False))


def slots(  # noqa: PLR0913 - all but the name by name
    name: str,
    *,
    begin: datetime,
    end: datetime,
    step_s: int,
    label: str | None = None,
    has_spread: bool = True,
) -> list[Slot]:
    """Summarise equal steps from `begin` on, each of them; the last may pass `end`.

    Steps of whole hours from a full hour on are of hours, as are steps of an hour or
    longer over more than a day; others are of minutes.
    Raises: ValueError for a step under a minute, or under an hour where minutes are
    not kept any longer.
    """
    parts: Parts = defaultdict(list)
    points = _points(name, _stepped(begin, end, step_s))
    if label is not None:
        points = points.filter(label=label)
    columns = (*COLUMNS, "sketch") if has_spread else COLUMNS
    for at, *known in points.values_list("begin", *columns):
        parts[int((at - begin).total_seconds() // step_s)].append(
            Summary.stored(*known)
        )
    count = -int((begin - end).total_seconds() // step_s)
    return [
        Slot(begin + timedelta(seconds=step_s * place), Summary.merged(parts[place]))
        for place in range(count)
    ]


def timing(
    name: str, *, begin: datetime, end: datetime, label: str | None = None
) -> Timing:
    """Summarise times in ms: exactly over an hour or less of the last day.

    Then the single values are read from the rows that they were measured on; elsewhere
    from minutes and hours, where percentiles are right within 1 %.
    """
    if end - begin <= HOUR and begin >= timezone.now() - _ROWS_FOR:
        values = sources.measured(begin, end, names={name})
        return Timing.of([v.value for v in values if label in {None, v.label}])
    found = summary(name, begin=begin, end=end, label=label)
    return Timing(
        count=found.count,
        avg_ms=found.avg,
        min_ms=found.low,
        max_ms=found.high,
        p50_ms=found.p50,
        p95_ms=found.p95,
        p99_ms=found.p99,
    )


def _whole(begin: datetime, end: datetime) -> Iterator[Span]:
    """Yield the full hours of a window, and the minutes at its edges."""
    first, last = hour_of(begin + HOUR - timedelta.resolution), hour_of(end)
    if first >= last:
        yield (_edge(begin), begin, end)
        return
    yield (_edge(begin), begin, first)
    yield (Point.Step.HOUR, first, last)
    yield (_edge(last), last, end)


def _edge(at: datetime) -> Point.Step:
    """Return the finest there is of a part of an hour."""
    return Point.Step.MINUTE if _has_minutes(at) else Point.Step.HOUR


def _has_minutes(at: datetime) -> bool:
    return at >= timezone.now() - KEEP_MINUTES


def _stepped(begin: datetime, end: datetime, step_s: int) -> Span:
    """Return which points make up steps of this length."""
    if step_s < MINUTE.total_seconds():
        raise ValueError(f"A step is of a minute or longer, not of {step_s} s.")
    is_on_hours = begin == hour_of(begin) and step_s % _HOUR_S == 0
    if is_on_hours or (step_s >= _HOUR_S and end - begin > _ALL_HOURS_FROM):
        return (Point.Step.HOUR, begin, end)
    if not _has_minutes(begin):
        raise ValueError(
            f"Minutes are kept for {KEEP_MINUTES.days} days: from {begin} on, take "
            "steps of whole hours from a full hour on."
        )
    return (Point.Step.MINUTE, begin, end)


def _points(name: str, span: Span) -> "QuerySet[Point]":
    step, begin, end = span
    return Point.objects.filter(
        name=name, step_s=step, begin__gte=begin, begin__lt=end
    ).order_by()


def _parts(name: str, span: Span, *, has_spread: bool) -> Iterator[tuple[str, Summary]]:
    """Yield what there is of each label; added up already where that is all."""
    _, begin, end = span
    if begin >= end:
        return
    points = _points(name, span)
    if has_spread:
        rows = points.values_list("label", *COLUMNS, "sketch")
    else:
        rows = points.values_list("label").annotate(
            Sum("count"), Sum("total"), Min("low"), Max("high")
        )
    for label, *known in rows:
        yield label, Summary.stored(*known)
