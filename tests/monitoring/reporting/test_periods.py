"""Which periods there are, and what none is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from monitoring.reporting import periods
from monitoring.reporting.periods import InvalidPeriod, Window

NOW = datetime(2026, 11, 26, 14, 32, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        ("quarter", (14, 15), (14, 30)),
        ("hour", (13, 0), (14, 0)),
    ],
)
def test_the_last_one_is_the_newest_that_is_over(
    period: str, begin: tuple[int, int], end: tuple[int, int]
) -> None:
    window = periods.last(period, NOW)

    assert (window.begin.hour, window.begin.minute) == begin
    assert (window.end.hour, window.end.minute) == end
    assert window.end <= NOW < window.after.end


def test_a_day_is_one_of_utc_wherever_one_is() -> None:
    tokyo = timezone(timedelta(hours=9))
    morning = datetime(2026, 11, 27, 8, tzinfo=tokyo)  # still the 26th in UTC

    window = periods.last("day", morning)

    assert window.begin == datetime(2026, 11, 25, tzinfo=UTC)
    assert window.minutes == 1440


def test_at_its_very_end_a_period_is_over() -> None:
    noon = datetime(2026, 11, 26, 12, tzinfo=UTC)

    assert periods.last("hour", noon).end == noon


def test_periods_stand_side_by_side() -> None:
    window = periods.last("hour", NOW)

    assert window.before.end == window.begin
    assert window.after.begin == window.end


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T00:00Z",
        "2026-11-25T00:00:00+00:00",
        "2026-11-25T01:00+01:00",
        "2026-11-25T00:00",
        "2026-11-25",
    ],
)
def test_a_begin_can_be_written_in_several_ways(text: str) -> None:
    window = periods.parsed("day", text, NOW)

    assert window == Window("day", datetime(2026, 11, 25, tzinfo=UTC))


@pytest.mark.parametrize(
    ("period", "text", "words"),
    [
        ("day", "soon", "'soon' is no time: expected one such as 2026-11-25T00:00Z"),
        ("day", "", "'' is no time"),
        ("day", "2026-13-01", "is no time"),
        ("day", "0001-01-01T00:00+23:00", "is no time"),
        ("day", "0001-01-01", "the year 1:"),
        ("day", "9999-12-31", "the year 9999:"),
        ("day", "2026-11-25T01:00Z", "begins at midnight, in UTC"),
        ("hour", "2026-11-25T01:15Z", "begins at a full hour, in UTC"),
        ("quarter", "2026-11-25T01:20Z", "begins at minute 0, 15, 30 or 45"),
        ("quarter", "2026-11-25T01:15:01Z", "begins at minute 0, 15, 30 or 45"),
        ("day", "2026-11-26", "not over yet: the newest .* 2026-11-25T00:00Z"),
        ("hour", "2026-11-26T14:00Z", "not over yet: .* 2026-11-26T13:00Z"),
        ("day", "2027-01-01", "in the future"),
        ("quarter", "2026-11-19T14:30Z", "Minutes are kept for 7 days"),
        ("week", "2026-11-23", "'week' is no period: take one of quarter, hour, day"),
    ],
)
def test_anything_else_is_refused_with_what_would_be_right(
    period: str, text: str, words: str
) -> None:
    with pytest.raises(InvalidPeriod, match=words):
        periods.parsed(period, text, NOW)
