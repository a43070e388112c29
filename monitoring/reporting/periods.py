"""The periods that reports are of: quarters, hours and days of UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitoring.history import KEEP_MINUTES

QUARTER, HOUR, DAY = PERIODS = ("quarter", "hour", "day")
_LENGTHS = {
    QUARTER: timedelta(minutes=15),
    HOUR: timedelta(hours=1),
    DAY: timedelta(days=1),
}
_BEGINS = {
    QUARTER: "at minute 0, 15, 30 or 45",
    HOUR: "at a full hour",
    DAY: "at midnight",
}
_EXAMPLE = "2026-11-25T00:00Z"
# At the ends of the calendar there is no period before, or after.
_YEARS = range(2000, 9000)


class InvalidPeriod(ValueError):
    """It is none that a report can be of; the message says why and what is."""


@dataclass(frozen=True, slots=True)
class Window:
    """One period; its end is not in it."""

    period: str
    begin: datetime

    @property
    def end(self) -> datetime:
        """When the next one begins."""
        return self.begin + _LENGTHS[self.period]

    @property
    def before(self) -> "Window":
        """The period before it."""
        return Window(self.period, self.begin - _LENGTHS[self.period])

    @property
    def after(self) -> "Window":
        """The period after it."""
        return Window(self.period, self.end)

    @property
    def minutes(self) -> int:
        """Its length."""
        return _LENGTHS[self.period] // timedelta(minutes=1)


def current(period: str, now: datetime) -> Window:
    """Return the period that a moment is in. Raises: InvalidPeriod for no such one."""
    if period not in _LENGTHS:
        raise InvalidPeriod(
            f"{period!r} is no period: take one of {', '.join(PERIODS)}."
        )
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    length = _LENGTHS[period]
    return Window(period, midnight + (now - midnight) // length * length)


def last(period: str, now: datetime) -> Window:
    """Return the newest period that is over. Raises: InvalidPeriod."""
    return current(period, now).before


def parsed(period: str, begin: str, now: datetime) -> Window:
    """Return the period that begins then, if it is over.

    A time without an offset is UTC's. Raises: InvalidPeriod.
    """
    window = Window(period, _moment(begin))
    if window != current(period, window.begin):
        raise InvalidPeriod(
            f"{begin!r} is not where a report can begin: one of the period {period!r} "
            f"begins {_BEGINS[period]}, in UTC."
        )
    if window.end > now:
        newest = f"{last(period, now).begin:%Y-%m-%dT%H:%MZ}"
        state = "in the future" if window.begin > now else "not over yet"
        raise InvalidPeriod(
            f"The {period} from {begin} is {state}: the newest that is over begins at "
            f"{newest}."
        )
    if period == QUARTER and window.before.begin < now - KEEP_MINUTES:
        raise InvalidPeriod(
            f"Minutes are kept for {KEEP_MINUTES.days} days, too few for the quarter "
            f"from {begin}: take an hour or a day."
        )
    return window


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        moment = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidPeriod(
            f"{text!r} is no time: expected one such as {_EXAMPLE}."
        ) from error
    if moment.year not in _YEARS:
        raise InvalidPeriod(
            f"Nothing is known of the year {moment.year}: expected a time such as "
            f"{_EXAMPLE}."
        )
    return moment
