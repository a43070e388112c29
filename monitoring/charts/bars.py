"""Stacked bars over time."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from monitoring.charts.frame import Frame, drawn, time_axis, value_axis
from monitoring.charts.markup import Svg, at, tag
from monitoring.charts.parts import Series, Words, refuse_misfits
from monitoring.charts.scale import Scale, linear

_GAP = 0.12
# Lines and dots over the colour, so that stacks can be told apart without it.
_HATCHES = {
    2: "M0 6L6 0",
    3: "M2 2h2v2h-2z",
    4: "M0 3H6M3 0V6",
}


def bars(
    words: Words, series: Sequence[Series], *, times: Sequence[datetime], end: datetime
) -> Svg:
    """Draw one to four series as a stack for each stretch of time.

    One begins at each of the times and lasts to the next one, the last to `end`.
    Values below 0 count as gaps: nothing can be stacked on them.

    Raises: ValueError for more series, or another number of values than of times.
    """
    refuse_misfits(series, times)
    stacks = [
        [value if value is not None and value >= 0 else None for value in stack]
        for stack in zip(*(each.known() for each in series), strict=True)
    ]
    sums = [sum(filter(None, stack)) for stack in stacks]
    is_empty = all(value is None for stack in stacks for value in stack)
    frame = Frame(times[0] if times else end, end)
    scale = linear(sums)
    content = [
        *_hatches(words.key, len(series)),
        *value_axis(frame, scale, words.unit),
    ]
    for (begin, finish), stack in zip(
        pairwise([*times, end]), stacks, strict=bool(stacks)
    ):
        content += _stack(words.key, frame, scale, stack, span=(begin, finish))
    return drawn(words, frame, [*content, *time_axis(frame)], is_empty=is_empty)


def _stack(
    key: str,
    frame: Frame,
    scale: Scale,
    stack: Sequence[float | None],
    *,
    span: tuple[datetime, datetime],
) -> Iterator[str]:
    left, right = map(frame.x, span)
    gap = (right - left) * _GAP
    place = {"x": at(left + gap / 2), "width": at(max(right - left - gap, 0.5))}
    below = 0.0
    for number, value in enumerate(stack, start=1):
        if not value:
            continue
        y, foot = (frame.y(scale.share(each)) for each in (below + value, below))
        size = {**place, "y": at(y), "height": at(max(foot - y, 0.5))}
        yield tag("rect", class_=f"chart-bar chart-bar-{number}", **size)
        if number in _HATCHES:
            yield tag("rect", fill=f"url(#{key}-hatch-{number})", **size)
        below += value


def _hatches(key: str, count: int) -> Iterable[str]:
    """Yield the patterns of the second series and on."""
    patterns = "".join(
        tag(
            "pattern",
            tag("path", class_="chart-hatch", d=d),
            id=f"{key}-hatch-{number}",
            width=6,
            height=6,
            patternUnits="userSpaceOnUse",
        )
        for number, d in _HATCHES.items()
        if number <= count
    )
    return [tag("defs", patterns)] if patterns else []
