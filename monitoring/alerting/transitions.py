"""What becomes of an alert when its metric is read again: pure, time is given.

Nothing, pending, firing, resolved. A moment that lies ahead is from a clock that was
set back: the time from it is counted anew, so nothing fires or ends early.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitoring.registry import Reading

PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"
ABOVE = "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When to worry: what a rule says of its metric, in the metric's unit."""

    comparison: str
    threshold: float
    clear_threshold: float | None = None
    min_samples: int = 0
    for_s: int = 0
    keep_firing_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far an alert is.

    `began_at` is its first sign, `fine_since` when it was last seen to be fine, and
    `frozen_since` when its metric last came to have no data; None: it is not so.
    """

    state: str
    began_at: datetime
    fired_at: datetime | None = None
    fine_since: datetime | None = None
    frozen_since: datetime | None = None
    resolved_at: datetime | None = None


def is_beyond(readings: Sequence[Reading | None], terms: Terms) -> bool | None:
    """Tell whether every window is beyond the threshold; None: it can't be told.

    The first is the long window, which alone needs `min_samples`. One that is not
    beyond decides, whatever the other lacks.
    """
    return _all(
        None if value is None else _is_worse(value, terms.threshold, terms)
        for value in _values(readings, terms)
    )


def is_fine(readings: Sequence[Reading | None], terms: Terms) -> bool | None:
    """Tell whether one window is back at the clear threshold; None: it can't be told.

    Between the two thresholds an alert is neither beyond nor fine.
    """
    clear = terms.threshold if terms.clear_threshold is None else terms.clear_threshold
    is_bad = _all(
        None if value is None else _is_worse(value, clear, terms)
        for value in _values(readings, terms)
    )
    return None if is_bad is None else not is_bad


def follow(
    held: Standing | None,
    readings: Sequence[Reading | None],
    terms: Terms,
    *,
    now: datetime,
) -> Standing | None:
    """Return how the alert stands now; None: there is none.

    Without data it is frozen. A firing one goes on firing; a pending one waits, and the
    time without data counts neither for firing nor for being fine.
    """
    beyond, fine = is_beyond(readings, terms), is_fine(readings, terms)
    if held is None:
        return _begin(terms, now) if beyond else None
    if (beyond if held.state == PENDING else fine) is None:
        return _frozen(held, now)
    held = _thawed(held, now)
    if held.state == PENDING:
        return _ripen(held, terms, now) if beyond else None
    return _last(held, terms, now, is_over=bool(fine) and not beyond)


def value(reading: Reading | None) -> float | None:
    """Return what was measured; what is no number is no data."""
    if reading is None or reading.value is None or not math.isfinite(reading.value):
        return None
    return reading.value


def worst(values: Sequence[float], comparison: str) -> float:
    """Return the value that is most beyond. Raises: ValueError for no values."""
    return max(values) if comparison == ABOVE else min(values)


def _begin(terms: Terms, now: datetime) -> Standing:
    return _ripen(Standing(state=PENDING, began_at=now), terms, now)


def _ripen(held: Standing, terms: Terms, now: datetime) -> Standing:
    """Fire once it has lasted."""
    began_at = min(held.began_at, now)
    if now - began_at < timedelta(seconds=terms.for_s):
        return replace(held, began_at=began_at)
    return replace(held, state=FIRING, began_at=began_at, fired_at=now)


def _last(held: Standing, terms: Terms, now: datetime, *, is_over: bool) -> Standing:
    """Go on firing until it has been fine for long enough."""
    if not is_over:
        return replace(held, fine_since=None)
    fine_since = now if held.fine_since is None else min(held.fine_since, now)
    if now - fine_since < timedelta(seconds=terms.keep_firing_s):
        return replace(held, fine_since=fine_since)
    ended_at = max(now, held.fired_at or now)
    return replace(held, state=RESOLVED, fine_since=fine_since, resolved_at=ended_at)


def _frozen(held: Standing, now: datetime) -> Standing:
    since = now if held.frozen_since is None else min(held.frozen_since, now)
    return replace(held, frozen_since=since)


def _thawed(held: Standing, now: datetime) -> Standing:
    """Take the time without data out of what is counted."""
    if held.frozen_since is None:
        return held
    gap = max(now - held.frozen_since, timedelta())
    is_pending = held.state == PENDING
    return replace(
        held,
        began_at=held.began_at + gap if is_pending else held.began_at,
        fine_since=None if held.fine_since is None else held.fine_since + gap,
        frozen_since=None,
    )


def _values(readings: Sequence[Reading | None], terms: Terms) -> list[float | None]:
    values = [value(reading) for reading in readings]
    first = readings[0] if readings else None
    if first is None or first.samples < terms.min_samples:
        values[:1] = [None]
    return values


def _is_worse(measured: float, threshold: float, terms: Terms) -> bool:
    if terms.comparison == ABOVE:
        return measured > threshold
    return measured < threshold


def _all(parts: Iterable[bool | None]) -> bool | None:
    """Join them as Kleene's logic does: one that is false decides."""
    told = list(parts)
    if False in told:
        return False
    return None if None in told else True
