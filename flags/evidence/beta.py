"""Logarithms of the beta function, whole and incomplete."""

import math

_TINY = 1e-300
_CLOSE = 1e-15
_MOST_ROUNDS = 10_000


def log_beta(a: float, b: float) -> float:
    """Return log B(a, b) = log Γ(a) + log Γ(b) − log Γ(a + b)."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def log_share_below(x: float, *, a: float, b: float) -> float:
    """Return log I_x(a, b): how much of a beta distribution lies below x, 0 < x < 1.

    By the continued fraction of Abramowitz and Stegun 26.5.8, in Lentz's form, from
    the side on which it converges fast. Small shares keep their digits.
    """
    if x > (a + 1) / (a + b + 2):
        return math.log1p(-math.exp(_log_front(1 - x, a=b, b=a)))
    return _log_front(x, a=a, b=b)


def _log_front(x: float, *, a: float, b: float) -> float:
    front = a * math.log(x) + b * math.log1p(-x) - log_beta(a, b) - math.log(a)
    return front - math.log(_fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d₁/(1 + d₂/(1 + …))."""
    value, upper, lower = 1.0, 1.0, 0.0
    for k in range(1, _MOST_ROUNDS):
        m = k // 2
        if k % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        lower = 1 / (1 + d * lower or _TINY)
        upper = 1 + d / upper or _TINY
        value *= upper * lower
        if abs(upper * lower - 1) < _CLOSE:
            break
    return value
