"""Lines over time."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from monitoring.charts import numbers
from monitoring.charts.frame import (
    WIDTH,
    Frame,
    drawn,
    mark_lines,
    marked,
    scale_unit,
    time_axis,
    value_axis,
)
from monitoring.charts.markers import marker
from monitoring.charts.markup import Svg, at, plain, tag
from monitoring.charts.parts import Axes, Limit, Mark, Series, Words, refuse_misfits
from monitoring.charts.scale import Scale, linear, logarithmic

_FAR = 4
_NO_BREAK = "\u00a0"
_NEVER = datetime.fromtimestamp(0, UTC)


def line(
    words: Words,
    series: Sequence[Series],
    axes: Axes,
    *,
    limit: Limit | None = None,
    marks: Sequence[Mark] = (),
) -> Svg:
    """Draw one to four series, each with a value or a gap for each of the times.

    A limit more than four times as high as all values is left out, or they would be a
    line at the bottom. On a logarithmic axis it always stands.

    Raises: ValueError for more series, or another number of values than of times.
    """
    refuse_misfits(series, axes.times)
    known = [each.known() for each in series]
    values = [value for each in known for value in each if value is not None]
    if limit and not axes.is_log and limit.value > _FAR * max(values, default=0):
        limit = None
    scale = _scale([*values, *([limit.value] if limit else [])], axes)
    frame = _frame(axes, marks)
    content = [
        *value_axis(frame, scale, words.unit),
        *time_axis(frame),
        *mark_lines(frame, marks),
        *([_limit_line(frame, scale, limit)] if limit else []),
    ]
    xs = [frame.x(time) for time in axes.times]
    for number, each in enumerate(known, start=1):
        content += _series(number, xs, each, frame=frame, scale=scale)
    if limit:  # last, so that no line runs through its words
        label = _label(limit, scale, words.unit)
        content.append(_limit_label(frame, scale.share(limit.value), label))
    return drawn(words, frame, content, is_empty=not values)


def _scale(values: Sequence[float], axes: Axes) -> Scale:
    return logarithmic(values) if axes.is_log else linear(values, top=axes.top)


def _frame(axes: Axes, marks: Sequence[Mark]) -> Frame:
    begin = axes.times[0] if axes.times else axes.end or _NEVER
    return marked(begin, axes.end or axes.times[-1] if axes.times else begin, marks)


def _series(
    number: int,
    xs: Sequence[float],
    values: Sequence[float | None],
    *,
    frame: Frame,
    scale: Scale,
) -> Iterable[str]:
    """Yield the line with its gaps, and a shape at its end and at each lonely value."""
    runs = _runs(
        (x, None if value is None else frame.y(scale.share(value)))
        for x, value in zip(xs, values, strict=True)
    )
    d = "".join(
        "M" + "L".join(f"{at(x)} {at(y)}" for x, y in run)
        for run in runs
        if len(run) > 1
    )
    if d:
        yield tag("path", class_=f"chart-line chart-line-{number}", fill="none", d=d)
    for place, run in enumerate(runs, start=1):
        if len(run) == 1 or place == len(runs):
            yield marker(number, *run[-1])


def _runs(
    points: Iterable[tuple[float, float | None]],
) -> list[list[tuple[float, float]]]:
    """Return the stretches without a gap."""
    runs: list[list[tuple[float, float]]] = []
    is_open = False
    for x, y in points:
        if y is None:
            is_open = False
            continue
        if not is_open:
            runs.append([])
        runs[-1].append((x, y))
        is_open = True
    return runs


def _limit_line(frame: Frame, scale: Scale, limit: Limit) -> str:
    y = frame.y(scale.share(limit.value))
    left, right = frame.x(frame.begin), frame.x(frame.end)
    return tag(
        "path", class_="chart-limit", fill="none", d=f"M{at(left)} {at(y)}H{at(right)}"
    )


def _label(limit: Limit, scale: Scale, unit: str) -> str:
    divisor, unit = scale_unit(scale, unit)
    value = f"{numbers.short(limit.value / divisor)}{_NO_BREAK if unit else ''}{unit}"
    return limit.label.replace("{value}", value)


def _limit_label(frame: Frame, share: float, label: str) -> str:
    y = frame.y(share)
    above = y - 7 if y - frame.top > 18 else y + 17
    return tag(
        "text",
        plain(label),
        class_="chart-limit-label",
        text_anchor="end",
        x=at(min(frame.x(frame.end), WIDTH)),
        y=at(above),
    )
