"""Axes of values: where a number stands, and which numbers stand beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

_INTERVALS = 4
_MOST_DECADES = 6
_MOST_POWER = 300  # nearer to what a float can hold, powers are 0 or overflow


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low` to `high`, with a line at each tick; logarithmic if asked for."""

    low: float
    high: float
    ticks: Sequence[float]
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return how high a value stands: 0 at the bottom, 1 at the top."""
        bounded = min(max(value, self.low), self.high)
        if not self.is_log:
            return (bounded - self.low) / (self.high - self.low)
        return log10(bounded / self.low) / log10(self.high / self.low)


def linear(values: Iterable[float], *, top: float | None = None) -> Scale:
    """Return a scale with 0 and all the values on it, and round numbers as ticks.

    `top` is where it must end at least. Whole numbers get no fractions between them.
    """
    known = [*values, *([] if top is None else [top])]
    high, low = max(known, default=0), min(0, *known, 0)
    step = _round_step((high - low) / _INTERVALS)
    if all(value == int(value) for value in known):
        step = max(step, 1)
    first, last = floor(low / step), ceil(round(high / step, 9))
    last = max(last, first + 1)
    # Multiples and no sums, whose rounding would show as 0.30000000000000004.
    ticks = [float(f"{step * each:.12g}") for each in range(first, last + 1)]
    return Scale(ticks[0], ticks[-1], ticks)


def logarithmic(values: Iterable[float]) -> Scale:
    """Return a scale of whole decades; what is not above 0 stands at its bottom."""
    positive = [value for value in values if value > 0]
    low = _power(floor(log10(min(positive, default=1))), _MOST_POWER - 1)
    high = max(_power(ceil(log10(max(positive, default=1))), _MOST_POWER), low + 1)
    every = ceil((high - low) / _MOST_DECADES)
    ticks = [10.0**power for power in range(low, high + 1, every)]
    return Scale(10.0**low, 10.0**high, ticks, is_log=True)


def _power(wanted: int, most: int) -> int:
    return min(max(wanted, -_MOST_POWER), most)


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, 25, 50, … that is not less."""
    if least <= 0:
        return 1
    power = 10.0 ** floor(log10(least))
    steps = (1, 2, 2.5, 5, 10) if power >= 10 else (1, 2, 5, 10)
    return next(step * power for step in steps if step * power >= least * 0.999)
