"""Simulated ramps as one picture: the percent over the days, a line for each ramp.

A file of its own must bring its colours, unlike the charts of the pages.
"""

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil

from flags.plans import DAY_S
from flags.simulation.ramps import Ramp
from flags.situation import State

_WIDTH, _HEIGHT = 720, 360
_LEFT, _TOP, _RIGHT, _BOTTOM = 56, 44, 16, 48
_INK, _GRID = "#333333", "#d0d0d0"
_COLOURS = {State.COMPLETED: "#1b7837", State.ROLLING_BACK: "#b2182b"}
_OTHER = "#8a6d00"


def svg(ramps: Sequence[Ramp], *, title: str) -> str:
    """Draw them: green where complete, red where rolled back, else brown."""
    days = max(1, ceil(max((ramp.seconds for ramp in ramps), default=0) / DAY_S))
    ended = [ramp.ended for ramp in ramps]
    complete = ended.count(State.COMPLETED)
    back = ended.count(State.ROLLING_BACK)
    rest = len(ended) - complete - back
    words = (
        f"{complete} of {len(ended)} ramps complete (green), {back} rolled back (red), "
        f"{rest} waiting for a person (brown)."
    )
    content = "\n".join(
        [
            f"<title>{escape(title)}</title><desc>{escape(words)}</desc>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
            _text(_LEFT, 18, title, anchor="start"),
            _text(_LEFT, 34, words, anchor="start"),
            *_axes(days),
            *(_line(ramp, days) for ramp in ramps),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="12">\n{content}\n</svg>\n'
    )


def _axes(days: int) -> Iterator[str]:
    step = max(1, ceil(days / 12))
    for percent in range(0, 101, 25):
        y = _y(percent)
        yield _stroke(f"M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}", _GRID)
        yield _text(_LEFT - 6, y + 4, f"{percent} %", anchor="end")
    for day in range(0, days + 1, step):
        yield _text(_x(day * DAY_S, days), _HEIGHT - 26, str(day))
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "days since the start")


def _line(ramp: Ramp, days: int) -> str:
    path = f"M{_x(0, days):.1f} {_y(0):.1f}"
    for step in ramp.steps:
        path += f"H{_x(step.at_s, days):.1f}V{_y(float(step.percent)):.1f}"
    path += f"H{_x(ramp.seconds, days):.1f}"
    return _stroke(path, _COLOURS.get(ramp.ended, _OTHER), opacity=0.5)


def _stroke(path: str, colour: str, *, opacity: float = 1) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5" '
        f'stroke-opacity="{opacity}"/>'
    )


def _text(x: float, y: float, words: str, *, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{_INK}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _x(at_s: float, days: int) -> float:
    return _LEFT + at_s / (days * DAY_S) * (_WIDTH - _LEFT - _RIGHT)


def _y(percent: float) -> float:
    return _HEIGHT - _BOTTOM - percent / 100 * (_HEIGHT - _TOP - _BOTTOM)
