"""A picture, the sentence that it says, the table behind it, and where to look on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring import charts, wording
from monitoring.charts import Axes, Limit, Series, Words
from monitoring.dashboard.links import Link, Links
from monitoring.dashboard.points import Points

Values = Sequence[float | None]
Show = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table; its head may lead to the turns that it is about."""

    head: str
    cells: Sequence[str]
    address: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Figures in words. `heads` has a name for the first column, too."""

    heads: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One question and its answer; `compared` stands open, `table` can be unfolded."""

    key: str
    title: str
    sentence: str
    picture: str = ""
    legend: str = ""
    compared: Table | None = None
    table: Table | None = None
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a panel over time is made of: values by name, and how they are told.

    `has_turns`: whether there are turns behind each row of the table.
    """

    words: Words
    series: Mapping[str, Values]
    show: Show
    limit: Limit | None = None
    top: float | None = None
    is_bars: bool = False
    has_turns: bool = False


def over_time(
    points: Points,
    drawing: Drawing,
    *,
    links: Links,
    compared: Table | None = None,
    more: Sequence[Link] = (),
) -> Panel:
    """Draw series over the window, and lay the table of the same values behind it."""
    words, names = drawing.words, list(drawing.series)
    return Panel(
        key=words.key,
        title=words.title,
        sentence=words.desc,
        picture=_picture(points, drawing),
        legend=charts.legend(names, is_bars=drawing.is_bars) if names[1:] else "",
        compared=compared,
        table=_table(points, drawing, links),
        links=more,
    )


def _picture(points: Points, drawing: Drawing) -> str:
    series = [Series(name, values) for name, values in drawing.series.items()]
    times, end = points.window.times, points.window.end
    if drawing.is_bars:
        return charts.bars(drawing.words, series, times=times, end=end)
    axes = Axes(times=times, end=end, top=drawing.top)
    return charts.line(drawing.words, series, axes, limit=drawing.limit)


def _table(points: Points, drawing: Drawing, links: Links) -> Table:
    """Return the newest step first; steps in which nothing was are left out."""
    step = points.window.range.step
    rows = [
        _row(at, step, values, drawing=drawing, links=links)
        for at, values in zip(
            points.window.times,
            zip(*drawing.series.values(), strict=True),
            strict=False,
        )
        if any(value is not None for value in values)
    ]
    return Table(["From (UTC)", *drawing.series], rows[::-1])


def _row(
    at: datetime,
    step: timedelta,
    values: Values,
    *,
    drawing: Drawing,
    links: Links,
) -> Row:
    address = links.turns(begin=at, end=at + step) if drawing.has_turns else ""
    return Row(wording.moment(at), [drawing.show(value) for value in values], address)
