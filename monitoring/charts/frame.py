"""The part that charts over time share: outline, axes, grid, marks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.charts import moments, numbers
from monitoring.charts.markup import Svg, at, plain, tag
from monitoring.charts.parts import Mark, Words
from monitoring.charts.scale import Scale

WIDTH, HEIGHT = 480, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 14, 24, 26
_ROW, _MOST_ROWS = 17, 5
_LETTER = 9  # as wide as a digit on a phone, where letters are drawn larger


@dataclass(frozen=True, slots=True)
class Frame:
    """Where moments and values stand on a chart of this height, in its units."""

    begin: datetime
    end: datetime
    height: int = HEIGHT
    top: int = _TOP

    @property
    def bottom(self) -> int:
        """Where the axis of time is."""
        return self.height - _BOTTOM

    def x(self, moment: datetime) -> float:
        """Return where a moment stands; what is outside stands at the edge."""
        span_s = (self.end - self.begin).total_seconds()
        share = (moment - self.begin).total_seconds() / span_s if span_s else 0.5
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(max(share, 0), 1)

    def y(self, share: float) -> float:
        """Return the height of a share of the axis of values."""
        return self.bottom - (self.bottom - self.top) * share


def drawn(words: Words, frame: Frame, content: Iterable[str], *, is_empty: bool) -> Svg:
    """Return the whole picture with its title and description."""
    parts = [*content]
    if is_empty:
        middle = {"x": at((_LEFT + WIDTH - _RIGHT) / 2), "y": at(frame.y(0.45))}
        parts.append(
            tag("text", "no data", class_="chart-none", text_anchor="middle", **middle)
        )
    title, desc = f"{words.key}-title", f"{words.key}-desc"
    heading = (
        tag("title", plain(words.title) or "–", id=title),
        tag("desc", plain(words.desc) or "–", id=desc),
    )
    return Svg(
        tag(
            "svg",
            "".join([*heading, *parts]),
            class_="chart",
            viewBox=f"0 0 {WIDTH} {frame.height}",
            role="img",
            aria_labelledby=f"{title} {desc}",
            focusable="false",
        )
    )


def time_axis(frame: Frame) -> Iterable[str]:
    """Yield the line at the bottom and the moments below it."""
    yield tag(
        "path",
        class_="chart-axis",
        fill="none",
        d=f"M{_LEFT} {at(frame.bottom)}H{WIDTH - _RIGHT}",
    )
    for moment, label in moments.ticks(frame.begin, frame.end):
        x, half = frame.x(moment), len(label) * _LETTER / 2
        if half <= x <= WIDTH - half:
            yield tag(
                "text",
                label,
                class_="chart-tick",
                text_anchor="middle",
                x=at(x),
                y=at(frame.height - 6),
            )


def scale_unit(scale: Scale, unit: str) -> tuple[float, str]:
    """Return by what an axis divides its values, and the unit that it shows."""
    return numbers.unit_for(unit, max(map(abs, scale.ticks)))


def value_axis(frame: Frame, scale: Scale, unit: str) -> Iterable[str]:
    """Yield a line with its number for each tick, and the unit at the top."""
    divisor, unit = scale_unit(scale, unit)
    for tick in scale.ticks:
        y = frame.y(scale.share(tick))
        yield tag(
            "path",
            class_="chart-grid",
            fill="none",
            d=f"M{_LEFT} {at(y)}H{WIDTH - _RIGHT}",
        )
        yield tag(
            "text",
            numbers.short(tick / divisor),
            class_="chart-tick",
            text_anchor="end",
            x=_LEFT - 6,
            y=at(y + 4),
        )
    if unit:
        yield tag("text", plain(unit), class_="chart-unit", x=_LEFT - 2, y=14)


def marked(begin: datetime, end: datetime, marks: Sequence[Mark]) -> Frame:
    """Return a frame with room for the marks' labels, one above the other if needed."""
    rows = {row for _, row in _rows(Frame(begin, end), marks)}
    return Frame(begin, end, HEIGHT + _ROW * len(rows), _TOP + _ROW * len(rows))


def mark_lines(frame: Frame, marks: Sequence[Mark]) -> Iterable[str]:
    """Yield a vertical line for each mark, then the labels: no line crosses one."""
    placed = _rows(frame, marks)
    for mark, row in placed:
        x, y = frame.x(mark.at), _TOP + _ROW * row
        yield tag(
            "path",
            class_="chart-mark",
            fill="none",
            d=f"M{at(x)} {y - 8}V{at(frame.bottom)}",
        )
    for mark, row in placed:
        x, y = frame.x(mark.at), _TOP + _ROW * row
        is_late = _is_late(frame, mark)
        yield tag(
            "text",
            plain(mark.label),
            class_="chart-mark-label",
            text_anchor="end" if is_late else "start",
            x=at(x - 4 if is_late else x + 4),
            y=y + 4,
        )


def _is_late(frame: Frame, mark: Mark) -> bool:
    """Tell whether a label does not fit on the right of its line."""
    return frame.x(mark.at) + _width(mark) > WIDTH


def _width(mark: Mark) -> float:
    """Return a label's width: a letter more, as it stands apart and % is wider."""
    return (len(mark.label) + 1) * _LETTER


def _rows(frame: Frame, marks: Sequence[Mark]) -> list[tuple[Mark, int]]:
    """Place each label in the first row where it hides no other, if there is one."""
    ends = [-1.0] * _MOST_ROWS
    placed = []
    for mark in sorted(marks, key=lambda mark: mark.at):
        x = frame.x(mark.at)
        left = x - _width(mark) if _is_late(frame, mark) else x
        row = next((row for row, end in enumerate(ends) if end <= left), len(ends) - 1)
        ends[row] = left + _width(mark)
        placed.append((mark, row))
    return placed
