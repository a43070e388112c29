"""Figures with their units, and moments, as a person reads them; None is no data."""

import math
from datetime import datetime

from monitoring.registry import STATES

NO_DATA = "no data"
SPACE = "\u00a0"  # keeps a number and its unit on one line
_LONG_MS = 10_000
VARIANTS = {"on": "treatment", "off": "control"}


def number(value: float | None, unit: str = "") -> str:
    """Return a number: with decimals where they matter."""
    if value is None:
        return NO_DATA
    return f"{_digits(value)}{SPACE if unit else ''}{unit}"


def counted(count: float, one: str, many: str = "") -> str:
    """Return how many of something there are."""
    return f"{count:,.0f} {one if count == 1 else many or one + 's'}"


def percent(value: float | None) -> str:
    """Return percent, 0 to 100, with as many decimals as matter."""
    if value is None:
        return NO_DATA
    digits = 2 if 0 < abs(value) < 1 else 1
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") + f"{SPACE}%"


def duration(value_ms: float | None) -> str:
    """Return a time in ms, a long one in seconds."""
    if value_ms is None:
        return NO_DATA
    if value_ms >= _LONG_MS:
        return f"{value_ms / 1000:,.1f}{SPACE}s"
    return f"{value_ms:,.0f}{SPACE}ms"


def dollars(value: float | None) -> str:
    """Return an amount; one of less than a cent with two digits that count."""
    if value is None:
        return NO_DATA
    if value >= 0.01 or value == 0:
        return f"${value:,.2f}"
    digits = 1 - math.floor(math.log10(value))
    return f"${value:.{digits}f}".rstrip("0")


def amount(value: float | None, unit: str) -> str:
    """Return a value with its unit; a ratio in percent, a state by its name."""
    if value is None:
        return NO_DATA
    if unit == "ratio":
        return f"{100 * value:.3g}{SPACE}%"
    if unit == "state" and value in range(len(STATES)):
        return STATES[int(value)]
    digits = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{digits}{SPACE}{unit}" if unit else digits


def moment(at: datetime, *, has_day: bool = True) -> str:
    """Return a minute in UTC."""
    return f"{at.day} {at:%b, %H:%M}" if has_day else f"{at:%H:%M}"


def variant(label: str) -> str:
    """Return a variant in words."""
    return VARIANTS.get(label, "without the flag")


def _digits(value: float) -> str:
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
