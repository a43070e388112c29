"""Which line is which, beside the chart: as HTML, so that long names can wrap."""

from collections.abc import Sequence

from monitoring.charts.markers import marker
from monitoring.charts.markup import Svg, at, plain, tag
from monitoring.charts.parts import STATE_SHARES


def legend(labels: Sequence[str], *, is_bars: bool = False) -> Svg:
    """Return a list of the series' names, each beside a piece of its line or bar."""
    return Svg(
        tag(
            "ul",
            "".join(
                tag("li", _sample(number, is_bars=is_bars) + plain(label))
                for number, label in enumerate(labels, start=1)
            ),
            class_="chart-legend",
        )
    )


def states() -> Svg:
    """Return a list of the states that a strip shows, each beside its colour."""
    items = [
        tag("li", _block(f"chart-{state}", share) + plain(state))
        for state, share in STATE_SHARES.items()
    ]
    return Svg(tag("ul", "".join(items), class_="chart-legend"))


def _block(name: str, share: float) -> str:
    size = {"y": at(14 - 14 * share), "width": 26, "height": at(14 * share)}
    return _picture(tag("rect", class_=name, **size))


def _sample(number: int, *, is_bars: bool) -> str:
    if is_bars:
        drawn = tag(
            "rect", class_=f"chart-bar chart-bar-{number}", width=26, height=14
        ) + _hatch(number)
    else:
        drawn = tag(
            "path",
            class_=f"chart-line chart-line-{number}",
            fill="none",
            d="M0 7H26",
        ) + marker(number, 13, 7)
    return _picture(drawn)


def _picture(drawn: str) -> str:
    return tag("svg", drawn, viewBox="0 0 26 14", aria_hidden="true", focusable="false")


def _hatch(number: int) -> str:
    """Return what `bars` lays over its second series and on."""
    paths = {
        2: "M0 6L6 0M2 14L16 0M12 14L26 0M22 14L26 10",
        3: "M4 3h2v2h-2zM12 3h2v2h-2zM20 3h2v2h-2zM8 9h2v2h-2zM16 9h2v2h-2z",
        4: "M0 4H26M0 10H26M5 0V14M13 0V14M21 0V14",
    }
    return tag("path", class_="chart-hatch", d=paths[number]) if number in paths else ""
