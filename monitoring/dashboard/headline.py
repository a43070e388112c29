"""The few figures that are looked at first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring import facts, wording
from monitoring.charts import Svg, sparkline
from monitoring.dashboard.points import Points
from monitoring.dashboard.ranges import HOUR
from monitoring.history.names import FOUND
from monitoring.history.summary import Summary

Values = Iterable[float | None]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in words, and what it is of; `panel` has more of it."""

    label: str
    value: str
    note: str
    panel: str
    picture: Svg | str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is data."""
        return self.value != wording.NO_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the figures rest on. None: no data."""

    turn_count: int | None
    error_count: int
    p95_ms: float | None
    timed_count: int
    hit_count: int
    valid_count: int


def last_hour(now: datetime) -> list[Figure]:
    """Return the figures of the last 60 minutes, exactly, from the turns themselves."""
    return _figures(_exact(now), [""] * 4)


def of(points: Points) -> list[Figure]:
    """Return those of a window: of the hour exactly, of longer ones as noted."""
    is_hour = points.window.range is HOUR
    told = _exact(points.window.now) if is_hour else _noted(points)
    return _figures(told, _pictures(points))


def _exact(now: datetime) -> Told:
    source, since = facts.source(), now - timedelta(hours=1)
    tally = source.tally(since=since)
    p95 = source.turn_percentile(0.95, since=since)
    sessions = source.session_turns(since=since)
    return Told(
        turn_count=tally.count,
        error_count=tally.error_count,
        p95_ms=p95.value_ms,
        timed_count=p95.count,
        hit_count=sessions.hit,
        valid_count=sessions.valid,
    )


def _noted(points: Points) -> Told:
    times, turns = points.whole("turn_ms"), points.whole("turns").count
    return Told(
        turn_count=turns if turns or points.is_counting else None,
        error_count=points.whole("errors").count,
        p95_ms=times.p95,
        timed_count=times.count,
        hit_count=points.whole("session_found", "hit").count,
        valid_count=points.whole("session_found", *FOUND).count,
    )


def _figures(told: Told, pictures: list[Svg | str]) -> list[Figure]:
    turns = told.turn_count or 0
    of_turns = wording.counted(turns, "turn")
    timed = wording.counted(told.timed_count, "answer")
    looked = wording.counted(told.valid_count, "persistent turn")
    errors = _percent(told.error_count, turns)
    found = _percent(told.hit_count, told.valid_count)
    return [
        Figure(
            "Turns",
            wording.number(told.turn_count),
            "that have ended",
            "turns",
            pictures[0],
        ),
        Figure("Failed", errors, f"of {of_turns}", "error-share", pictures[1]),
        Figure(
            "Answer, p95",
            wording.duration(told.p95_ms),
            f"of {timed}",
            "answers",
            pictures[2],
        ),
        Figure("Sessions found live", found, f"of {looked}", "hits", pictures[3]),
    ]


def _pictures(points: Points) -> list[Svg | str]:
    turns = points.steps("turns")
    found = zip(
        points.steps("session_found", "hit"),
        points.steps("session_found", *FOUND),
        strict=True,
    )
    failed = zip(points.steps("errors"), turns, strict=True)
    # The newest step is not over: what it has counted so far would look like a fall.
    over = turns[:-1]
    return [
        _spark("Turns over time", (each.count or None for each in over)),
        _spark("Share of failed turns over time", _shares(failed)),
        _spark("p95 over time", (each.p95 for each in points.steps("turn_ms"))),
        _spark("Share of sessions found live over time", _shares(found)),
    ]


def _spark(title: str, values: Values) -> Svg:
    return sparkline([*values], title=title)


def _shares(pairs: Iterable[tuple[Summary, Summary]]) -> Values:
    return (part.count / whole.count if whole.count else None for part, whole in pairs)


def _percent(part: int, whole: int) -> str:
    return wording.percent(100 * part / whole if whole else None)
