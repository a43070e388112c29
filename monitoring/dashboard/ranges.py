"""How far the dashboard looks back, and in which steps."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitoring.models import Point


@dataclass(frozen=True, slots=True)
class Range:
    """A span that ends with the step that is now; `?range=` has its key."""

    key: str
    words: str
    span: timedelta
    step: timedelta
    points: Point.Step

    @property
    def text_length(self) -> int:
        """How much of `2026-11-26 14:05` tells in which step it is."""
        return next(length for span, length in _LENGTHS if self.step >= span)


@dataclass(frozen=True, slots=True)
class Window:
    """A range at a moment: from the begin of one step to the end of another one."""

    range: Range
    now: datetime
    begin: datetime
    end: datetime

    @property
    def times(self) -> list[datetime]:
        """The begin of each step."""
        count = self.range.span // self.range.step
        return [self.begin + each * self.range.step for each in range(count)]

    def places(self) -> dict[str, int]:
        """Return the number of the step that each point is in, by its begin as text."""
        length, step = self.range.text_length, self.range.step
        every = timedelta(seconds=self.range.points)
        moments = (
            self.begin + n * every for n in range((self.end - self.begin) // every)
        )
        return {
            f"{at:%Y-%m-%d %H:%M}"[:length]: (at - self.begin) // step for at in moments
        }


_MINUTE, _HOUR, _DAY = (timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days"))
_LENGTHS = ((_DAY, 10), (_HOUR, 13), (_MINUTE, 16))
HOUR = Range("1h", "1 hour", _HOUR, _MINUTE, Point.Step.MINUTE)
DAY = Range("24h", "24 hours", _DAY, _HOUR, Point.Step.HOUR)
WEEK = Range("7d", "7 days", 7 * _DAY, 6 * _HOUR, Point.Step.HOUR)
MONTH = Range("30d", "30 days", 30 * _DAY, _DAY, Point.Step.HOUR)
RANGES = {each.key: each for each in (HOUR, DAY, WEEK, MONTH)}


def find(key: str) -> Range | None:
    """Return the range of this key, the hour where none is asked for; None: unknown."""
    return RANGES.get(key) if key else HOUR


def window(chosen: Range, now: datetime) -> Window:
    """Return the range at this moment; its newest step is not over."""
    step_s = int(chosen.step.total_seconds())
    begun = datetime.fromtimestamp(now.timestamp() // step_s * step_s, UTC)
    end = begun + chosen.step
    return Window(chosen, now, end - chosen.span, end)
