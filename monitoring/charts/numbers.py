"""Numbers and units, short enough for an axis."""

_LARGE = ((1e9, "B"), (1e6, "M"), (1e4, "k"))
_LONG_MS = 10_000


def short(value: float) -> str:
    """Return a number in about five letters: 0.25, 1,200, 12k, 3.5M."""
    for least, letter in _LARGE:
        if abs(value) >= least:
            unit = 1e3 if letter == "k" else least
            return f"{_digits(value / unit)}{letter}"
    return _digits(value)


def _digits(value: float) -> str:
    """Return four digits that count at most, and thousands apart."""
    whole = abs(value) >= 1000
    return f"{value:,.0f}" if whole else f"{value:.4g}"


def unit_for(unit: str, largest: float) -> tuple[float, str]:
    """Return by what to divide values of this size, and the unit they then have."""
    if unit == "ms" and largest >= _LONG_MS:
        return 1000, "s"
    return 1, unit
