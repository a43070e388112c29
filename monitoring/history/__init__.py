"""How it was: the points that minutes and hours leave behind."""

from datetime import UTC, datetime, timedelta

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KEEP_MINUTES, KEEP_HOURS = timedelta(days=7), timedelta(days=400)


def minute_of(at: datetime) -> datetime:
    """Return the begin of the minute, in UTC."""
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def hour_of(at: datetime) -> datetime:
    """Return the begin of the hour, in UTC."""
    return minute_of(at).replace(minute=0)
