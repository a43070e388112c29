"""All series of the dashboard, read together: as many queries for all as for one."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

from django.db.models import Max, QuerySet

from monitoring.dashboard.ranges import Window
from monitoring.history.reading import stored
from monitoring.history.summary import Summary
from monitoring.models import Point

# The levels are noted once a minute, whatever happens: they tell that notes are taken.
_PULSE = "memory_percent"
_SPREAD = ("turn_ms", "first_text_ms")
_TOLD = (
    *("turns", "errors", "requests", "session_found", "check_ms", "checks_bad"),
    *("prompt_tokens", "cached_tokens", "output_tokens", "thoughts_tokens"),
    *("billed_tokens", "cost_usd", "sessions_live", "sessions_maximum"),
    *("queue_waiting", "answers_running", "memory_percent", "disk_free_gb"),
    "rollout_percent",
)
_KNOWN = ("count", "total", "low", "high")

Parts = dict[tuple[str, str], dict[int, list[Summary]]]


class Points:
    """What the series were in a window, step by step."""

    def __init__(self, window: Window) -> None:
        self.window = window

    @cached_property
    def recorded_at(self) -> datetime | None:
        """The begin of the newest minute that was noted; None: none ever was."""
        newest: datetime | None = Point.objects.filter(
            name=_PULSE, step_s=Point.Step.MINUTE
        ).aggregate(newest=Max("begin"))["newest"]
        return newest

    @property
    def is_noted(self) -> bool:
        """Whether notes were taken in the window, so that nothing noted is nothing."""
        return bool(self.labels(_PULSE))

    def labels(self, name: str) -> list[str]:
        """Return the labels that have data, in order."""
        return sorted(label for of, label in self._parts if of == name)

    def steps(self, name: str, *labels: str) -> list[Summary]:
        """Return a summary for each step, of these labels together; none: of all."""
        chosen = [self._parts[name, each] for each in labels or self.labels(name)]
        return [
            Summary.merged(part for steps in chosen for part in steps.get(place, ()))
            for place in range(len(self.window.times))
        ]

    def levels(self, name: str) -> list[float | None]:
        """Return the average of each step; the parts of a level add up to it."""
        parts = [self.steps(name, label) for label in self.labels(name)]
        averages = (
            [steps[place].avg for steps in parts]
            for place in range(len(self.window.times))
        )
        return [
            sum(filter(None, each)) if any(avg is not None for avg in each) else None
            for each in averages
        ]

    def whole(self, name: str, *labels: str) -> Summary:
        """Return a summary of the whole window."""
        return Summary.merged(self.steps(name, *labels))

    @cached_property
    def _parts(self) -> Parts:
        parts: Parts = defaultdict(lambda: defaultdict(list))
        begin, step_s = self.window.begin, self.window.range.step.total_seconds()
        for names, columns in ((_TOLD, _KNOWN), (_SPREAD, (*_KNOWN, "sketch"))):
            for name, label, at, *known in self._rows(names, columns):
                place = int((at - begin).total_seconds() // step_s)
                parts[name, label][place].append(stored(*known))
        return parts

    def _rows(
        self, names: Iterable[str], columns: Iterable[str]
    ) -> "QuerySet[Point, tuple]":
        return (
            Point.objects.filter(
                name__in=names,
                step_s=self.window.range.points,
                begin__gte=self.window.begin,
                begin__lt=self.window.end,
            )
            .order_by()
            .values_list("name", "label", "begin", *columns)
        )
