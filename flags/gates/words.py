"""Numbers as the sentences of gates say them."""

import math

_HOUR_S = 3600


def count(number: float) -> str:
    """Return a whole number."""
    return f"{number:,.0f}"


def share(ratio: float) -> str:
    """Return a share (0–1) in percent, with two digits that matter."""
    percent = ratio * 100
    if abs(percent) >= 10 or percent == 0:
        return f"{percent:,.0f} %"
    digits = 1 - math.floor(math.log10(abs(percent)))
    text = f"{percent:.{min(digits, 4)}f}".rstrip("0").rstrip(".")
    return f"{text} %"


def evidence(value: float) -> str:
    """Return evidence, with two digits that matter where it is small."""
    if value >= 1e6:
        return f"10^{math.log10(value):.0f}"
    return count(value) if value >= 10 else f"{value:.2g}"


def span(seconds: float) -> str:
    """Return a time: minutes below two hours, hours below two days."""
    if seconds < 2 * _HOUR_S:
        return f"{max(1, round(seconds / 60))} min"
    hours = seconds / _HOUR_S
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
