"""What the schedule calls: reports of the periods that are over."""

from django.utils import timezone

from monitoring.reporting import storing
from monitoring.reporting.periods import DAY, HOUR, QUARTER


def check_performance() -> int:
    """Report on the last quarter of an hour, and settle what was preliminary."""
    now = timezone.now()
    return storing.settle(now) + storing.make_due(QUARTER, now)


def report_hour() -> int:
    """Report on the hour before."""
    return storing.make_due(HOUR, timezone.now())


def report_day() -> int:
    """Report on the day before."""
    return storing.make_due(DAY, timezone.now())
