"""What there is to tell of a window, from history and from monitoring's own rows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache, cached_property

from monitoring.history import reading, sampling, sources
from monitoring.history.names import COUNTED, FOUND, PULSE, TURN_TIMES
from monitoring.history.state import State
from monitoring.history.summary import Summary
from monitoring.models import Alert, Incident
from monitoring.reporting.periods import Window


class Past:
    """One window; each series is read once at most.

    Every number is None where there is no data. Every attribute may raise
    `django.db.Error`.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.parts = cache(self._parts)

    @cached_property
    def minutes_recorded(self) -> int:
        """How many of its minutes were recorded at all."""
        return self.summary(PULSE).count

    def summary(self, name: str, label: str | None = None) -> Summary:
        """Summarise a series, or one label of it."""
        parts = self.parts(name)
        if label is not None:
            return parts.get(label, Summary())
        return Summary.merged(parts.values())

    def count(self, name: str, label: str | None = None) -> int | None:
        """Count what was recorded; nothing is 0 where notes were taken."""
        found = self.summary(name, label).count
        return found if found or self._is_noted(name) else None

    @cached_property
    def turns_from(self) -> datetime | None:
        """When turns began to be measured again; None: all the window long they were.

        Of a time before they were switched off it can't be told that they were.
        """
        found = State.read().turns_from
        return found if found is not None and found > self.window.begin else None

    def total(self, name: str, label: str | None = None) -> float | None:
        """Return the sum of what was measured; None where nothing was."""
        found = self.summary(name, label)
        return found.total if found.count else None

    def share(self, name: str, of: str) -> float | None:
        """Return how many of one series there are to each of another, 0 to 1."""
        return _ratio(self.summary(name).count, self.summary(of).count)

    def found_share(self, label: str) -> float | None:
        """Return the share of persistent turns that found their session so."""
        whole = sum(self.summary("session_found", each).count for each in FOUND)
        return _ratio(self.summary("session_found", label).count, whole)

    @property
    def found_count(self) -> int | None:
        """How many persistent turns had a session to find; firsts have none."""
        counts = [self.count("session_found", each) for each in FOUND]
        known = [count for count in counts if count is not None]
        return sum(known) if known else None

    @cached_property
    def alerts_fired(self) -> int:
        """How many alerts began to fire."""
        window = self.window
        return Alert.objects.filter(
            fired_at__gte=window.begin, fired_at__lt=window.end
        ).count()

    @cached_property
    def incidents(self) -> int:
        """How many incidents were opened."""
        window = self.window
        return Incident.objects.filter(
            detected_at__gte=window.begin, detected_at__lt=window.end
        ).count()

    def _is_noted(self, name: str) -> bool:
        # Turns and what is counted are kept while tracking is on, all else always.
        always = (sources.OWN | sampling.NAMES).difference(COUNTED)
        is_off = name not in always and self.turns_from is not None
        return bool(self.minutes_recorded) and not is_off

    def _parts(self, name: str) -> Mapping[str, Summary]:
        return reading.by_label(
            name,
            begin=self.window.begin,
            end=self.window.end,
            has_spread=name in TURN_TIMES,
        )


def labels(pasts: Iterable[Past], name: str) -> list[str]:
    """Return the labels that a series has in any of the windows, in order."""
    return sorted({label for past in pasts for label in past.parts(name)})


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
