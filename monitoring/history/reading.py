"""What a series was, over any window: its minutes and hours, added up.

A minute or an hour belongs to the window that its begin is in, so windows beside each
other share nothing. Minutes are kept for a week; before that, hours are all there is.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from django.db.models import Max, Min, Sum
from django.utils import timezone

from monitoring.history import HOUR, KEEP_MINUTES, hour_of
from monitoring.history.summary import COLUMNS, Summary
from monitoring.models import Point

Span: TypeAlias = tuple[Point.Step, datetime, datetime]


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
    parts: dict[str, list[Summary]] = defaultdict(list)
    for span in _whole(begin, end):
        for label, part in _parts(name, span, has_spread=has_spread):
            parts[label].append(part)
    return {label: Summary.merged(found) for label, found in sorted(parts.items())}


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
    has_minutes = at >= timezone.now() - KEEP_MINUTES
    return Point.Step.MINUTE if has_minutes else Point.Step.HOUR


def _parts(name: str, span: Span, *, has_spread: bool) -> Iterator[tuple[str, Summary]]:
    """Yield what there is of each label; added up already where that is all."""
    step, begin, end = span
    if begin >= end:
        return
    points = Point.objects.filter(
        name=name, step_s=step, begin__gte=begin, begin__lt=end
    ).order_by()
    if has_spread:
        rows = points.values_list("label", *COLUMNS, "sketch")
    else:
        rows = points.values_list("label").annotate(
            Sum("count"), Sum("total"), Min("low"), Max("high")
        )
    for label, *known in rows:
        yield label, Summary.stored(*known)
