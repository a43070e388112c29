"""Proof that a share is below or above a limit, one arm alone, at any moment."""

import math
from typing import Literal

from flags.evidence.beta import log_beta, log_share_below

_PRIOR = 0.5  # Jeffreys: no share is preferred
_MOST = 1 << 30

Side = Literal["below", "above"]


def log_evidence(*, hits: int, count: int, limit_ratio: float, proves: Side) -> float:
    """Weigh `hits` of `count` independent units for a share `below` (`above`) a limit.

    Log of an e-process: log(1/α) or more proves it at level α, however often one
    looked before. 0 without data. The limit is 0–1, both ends excluded.

    Bernoulli likelihood averaged over a Beta(½, ½) prior cut off at the limit, over
    that at the limit (Robbins 1970; Ville 1939). Each share p₁ below p₀ alone has a
    mean of 1 at most under any p ≥ p₀, so their average has.

    Raises: ValueError where there are more hits than units, or no such limit.
    """
    if not 0 <= hits <= count:
        raise ValueError(f"Hits must be 0 to {count}, as many as units, not {hits}.")
    if not 0 < limit_ratio < 1:
        raise ValueError(f"A limit must be between 0 and 1, not {limit_ratio}.")
    if proves == "above":
        hits, limit_ratio = count - hits, 1 - limit_ratio
    return (
        _log_mass(hits, count - hits, limit_ratio)
        - _log_mass(0, 0, limit_ratio)
        - hits * math.log(limit_ratio)
        - (count - hits) * math.log1p(-limit_ratio)
    )


def needed_count(
    *, hits: int, count: int, limit_ratio: float, proves: Side, alpha: float
) -> int | None:
    """Return about how many more units a proof takes if the share stays as it is.

    0 where it is proved, None where this share will never prove it, or nothing came.
    """
    share = hits / count if count else limit_ratio
    if share >= limit_ratio if proves == "below" else share <= limit_ratio:
        return None

    def proved(total: int) -> bool:
        found = log_evidence(
            hits=round(share * total),
            count=total,
            limit_ratio=limit_ratio,
            proves=proves,
        )
        return found >= -math.log(alpha)

    low, high = count, count
    while not proved(high):
        if high > _MOST:
            return None
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if proved(middle) else (middle, high)
    return high - count


def _log_mass(hits: int, misses: int, limit_ratio: float) -> float:
    """Return log ∫ p^(hits−½) (1−p)^(misses−½) from 0 to the limit."""
    a, b = _PRIOR + hits, _PRIOR + misses
    return log_beta(a, b) + log_share_below(limit_ratio, a=a, b=b)
