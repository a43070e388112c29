"""What the points of a window should be, from what was stored and what was measured."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from monitoring.facts import Measured
from monitoring.history import hour_of, minute_of, sampling, sources
from monitoring.history.stored import Key, Points
from monitoring.history.summary import Summary

_SPREAD = "_ms"


@dataclass(frozen=True, slots=True)
class Window:
    """The minutes to work out again; turns before `turns_from` stay as they are."""

    begin: datetime
    end: datetime
    turns_from: datetime

    def keeps(self, key: Key) -> bool:
        """Tell whether a stored point is not to be worked out from rows."""
        if not self.begin <= key.begin < self.end or key.name in sampling.NAMES:
            return True
        return key.name not in sources.OWN and key.begin < self.turns_from


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at in a minute; `counts` are those since the last look."""

    minute: datetime
    levels: Mapping[tuple[str, str], float]
    counts: sampling.Totals


def minutes(values: Iterable[Measured], stored: Points, window: Window) -> Points:
    """Return every minute's points: those that stay, and those of these values."""
    found: dict[Key, list[float]] = defaultdict(list)
    minute = seen_at = None
    for at, name, label, value in values:
        # What is measured on one turn has one time, and comes together.
        if at is not seen_at or minute is None:
            minute, seen_at = minute_of(at), at
        # A clock set back makes times below 0, and one of those is no measurement.
        if isfinite(value) and value >= 0:
            found[Key(minute, name, label)].append(value)
    kept = {key: point for key, point in stored.items() if window.keeps(key)}
    return kept | {
        key: Summary.of(each, has_spread=key.name.endswith(_SPREAD))
        for key, each in found.items()
    }


def with_seen(minutes: Points, seen: Seen) -> Points:
    """Add what was seen: of levels the minute's first counts, of counts the sum."""
    found = dict(minutes)
    for (name, label), value in seen.levels.items():
        if isfinite(value):
            found.setdefault(
                Key(seen.minute, name, label), Summary(1, value, value, value)
            )
    for (name, label), count in seen.counts.items():
        key = Key(seen.minute, name, label)
        total = count + found.get(key, Summary()).count
        found[key] = Summary(total, float(total), 1.0, 1.0)
    return found


def hours(minutes: Points, stored: Points, *, known_from: datetime) -> Points:
    """Return every hour's points: all its minutes.

    Before `known_from` minutes may be forgotten: an hour that knows more stays.
    """
    parts: dict[Key, list[Summary]] = defaultdict(list)
    for (begin, name, label), point in minutes.items():
        parts[Key(hour_of(begin), name, label)].append(point)
    found = {key: Summary.merged(each) for key, each in parts.items()}
    for key, point in stored.items():
        is_more = key not in found or found[key].count < point.count
        if key.begin < known_from and is_more:
            found[key] = point
    return found
