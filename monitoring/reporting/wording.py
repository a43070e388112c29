"""Figures of reports and their changes in words; None is no data."""

from datetime import datetime

from monitoring import wording
from monitoring.wording import NO_DATA

_SHARES = {"ratio": 100, "percent": 1}
_WORDS = {"gb": "GB", "ms": "ms", "tokens": "tokens", "minutes": "min"}


def shown(value: float | None, unit: str) -> str:
    """Return a figure with its unit; a ratio, 0 to 1, in percent."""
    if value is None:
        return NO_DATA
    if unit in _SHARES:
        text = wording.percent(value * _SHARES[unit])
    elif unit == "usd":
        text = wording.dollars(value)
    else:
        text = wording.number(value, _WORDS.get(unit, ""))
    return text.replace(wording.SPACE, " ")  # for people's notes, and plain mail


def change(value: float | None, before: float | None, unit: str) -> str:
    """Say how a figure differs from that of the period before."""
    if value is None:
        return NO_DATA
    if before is None:
        return "no data before"
    if value == before:
        return "as before"
    if unit in _SHARES:
        points = (value - before) * _SHARES[unit]
        return _signed(points, "points", digits=1)
    if before == 0:
        return "none before"
    percent = 100 * (value - before) / before
    return _signed(percent, "%", digits=0 if abs(percent) >= 1 else 1)


def title(period: str) -> str:
    """Name a period."""
    return {"quarter": "Quarter of an hour", "hour": "Hour", "day": "Day"}[period]


def span(period: str, begin: datetime, end: datetime) -> str:
    """Say from when to when, in UTC."""
    if period == "day":
        return f"{begin:%Y-%m-%d} (UTC)"
    return f"{begin:%Y-%m-%d %H:%M} to {end:%H:%M} (UTC)"


def _signed(number: float, unit: str, *, digits: int) -> str:
    text = f"{abs(number):,.{digits}f}"
    if not float(text.replace(",", "")):
        return "about as before"
    return f"{'+' if number > 0 else '−'}{text} {unit}"
