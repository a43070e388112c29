"""A line without axes, as large as a word."""

from collections.abc import Sequence

from monitoring.charts.markup import Svg, at, plain, tag
from monitoring.charts.parts import Series
from monitoring.charts.scale import linear

_WIDTH, _HEIGHT, _EDGE = 120, 28, 3


def sparkline(values: Sequence[float | None], *, title: str) -> Svg:
    """Draw values, None where there is no data, from 0 to the largest of them."""
    known = Series("", values).known()
    scale = linear([value for value in known if value is not None])
    wide = (_WIDTH - 2 * _EDGE) / max(len(known) - 1, 1)
    d, is_open = [], False
    for place, value in enumerate(known):
        if value is not None:
            x = _EDGE + place * wide
            y = _HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * scale.share(value)
            # One alone is as long as its round ends.
            d.append(
                f"{'L' if is_open else 'M'}{at(x)} {at(y)}{'' if is_open else 'h0'}"
            )
        is_open = value is not None
    picture = tag("path", class_="sparkline-line", fill="none", d="".join(d) or "M0 0")
    return Svg(
        tag(
            "svg",
            tag("title", plain(title) or "–") + picture,
            class_="sparkline",
            viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
            role="img",
            aria_label=title,
            focusable="false",
        )
    )
