"""All series of the dashboard, read together: as many queries for all as for one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache, cached_property

from django.db.models import CharField, Max, Min, QuerySet, Sum
from django.db.models.functions import Cast, Left

from monitoring.dashboard.ranges import Window
from monitoring.history.names import PULSE, TURN_TIMES
from monitoring.history.state import State
from monitoring.history.summary import COLUMNS, Summary
from monitoring.models import Point

_TOLD = (
    *("turns", "errors", "requests", "session_found", "session_operations"),
    *("prompt_tokens", "cached_tokens", "output_tokens", "thoughts_tokens"),
    *("billed_tokens", "cost_usd", "sessions_live", "sessions_maximum"),
    *("queue_waiting", "answers_running", "memory_percent", "disk_free_gb"),
    *("rollout_percent", "check_ms", "checks_bad"),
)

Steps = dict[int, Summary]


class Points:
    """What the series were in a window, step by step."""

    def __init__(self, window: Window) -> None:
        self.window = window
        # A panel asks for what another one has asked for, and merging takes its time.
        self.steps = cache(self._merged)
        self.whole = cache(self._whole)

    @cached_property
    def recorded_at(self) -> datetime | None:
        """The begin of the newest minute that was noted; None: none ever was."""
        newest: datetime | None = Point.objects.filter(
            name=PULSE, step_s=Point.Step.MINUTE
        ).aggregate(newest=Max("begin"))["newest"]
        return newest

    @property
    def is_noted(self) -> bool:
        """Whether notes were taken in the window, so that nothing noted is nothing."""
        return bool(self.labels(PULSE))

    @property
    def is_counting(self) -> bool:
        """Whether turns were measured all the while, so that no turn is none."""
        since = State.read().turns_from
        return self.is_noted and (since is None or since <= self.window.begin)

    def labels(self, name: str) -> list[str]:
        """Return the labels that have data, in order."""
        return sorted(self._parts[name])

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

    def _merged(self, name: str, *labels: str) -> Sequence[Summary]:
        """Return a summary for each step, of these labels together; none: of all."""
        found = self._parts[name]
        parts = [found.get(label, {}) for label in labels or self.labels(name)]
        nothing = Summary()
        return [
            Summary.merged(steps.get(place, nothing) for steps in parts)
            for place in range(len(self.window.times))
        ]

    def _whole(self, name: str, *labels: str) -> Summary:
        """Return a summary of the whole window."""
        return Summary.merged(self.steps(name, *labels))

    @cached_property
    def _parts(self) -> dict[str, dict[str, Steps]]:
        """Return each label's steps that have data, by name."""
        pieces: dict[tuple[str, str, int], list[Summary]] = defaultdict(list)
        places = self.window.places()
        for name, label, at, *known in self._rows():
            if at in places:
                pieces[name, label, places[at]].append(Summary.stored(*known))
        parts: dict[str, dict[str, Steps]] = defaultdict(lambda: defaultdict(dict))
        for (name, label, place), found in pieces.items():
            parts[name][label][place] = Summary.merged(found)
        return parts

    def _rows(self) -> Iterator[tuple]:
        """Yield what is stored; added up by the database where that is all."""
        yield from (
            self._stored(_TOLD)
            .values_list("name", "label", "at")
            .annotate(Sum("count"), Sum("total"), Min("low"), Max("high"))
        )
        yield from self._stored(TURN_TIMES).values_list(
            "name", "label", "at", *COLUMNS, "sketch"
        )

    def _stored(self, names: Sequence[str]) -> QuerySet:
        """Return the points of these names, with the begin of their step as text.

        Texts are grouped by both databases alike, and none has to be read as a time.
        """
        window = self.window
        text = Cast("begin", output_field=CharField())
        return (
            Point.objects.filter(
                name__in=names,
                step_s=window.range.points,
                begin__gte=window.begin,
                begin__lt=window.end,
            )
            .order_by()
            .annotate(at=Left(text, window.range.text_length))
        )
