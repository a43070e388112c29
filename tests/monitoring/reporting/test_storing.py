"""Reports are made once, settled once, and mailed once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.models import Delivery, Report, Total
from monitoring.reporting import storing
from monitoring.reporting.periods import Window, last
from tests.monitoring.reporting.conftest import DAY, Put

Pulse = Callable[[datetime, int], None]
Recorded = Callable[[datetime], None]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded")]

NEXT = DAY + timedelta(days=1)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def _begins(period: str) -> list[datetime]:
    found = Report.objects.filter(period=period).order_by("begin")
    return list(found.values_list("begin", flat=True))


def test_the_first_time_only_the_last_period_is_made() -> None:
    assert storing.make_due("hour", NEXT + 5 * MINUTE) == 1
    assert storing.make_due("hour", NEXT + 6 * MINUTE) == 0

    assert _begins("hour") == [NEXT - HOUR]


def test_after_a_pause_the_missed_ones_are_made_the_oldest_first() -> None:
    storing.make_due("hour", NEXT)

    count = storing.make_due("hour", NEXT + 4 * HOUR)

    assert count == 4
    assert _begins("hour") == [NEXT + n * HOUR for n in range(-1, 4)]


def test_after_a_long_pause_only_the_last_day_s_hours_are_made() -> None:
    storing.make_due("hour", NEXT)

    count = storing.make_due("hour", NEXT + timedelta(days=9))

    assert count == 24


def test_a_clock_that_was_set_back_makes_nothing_twice() -> None:
    storing.make_due("day", NEXT + 10 * MINUTE)

    assert storing.make_due("day", NEXT - HOUR) == 1
    assert storing.make_due("day", NEXT + 20 * MINUTE) == 0
    assert _begins("day") == [DAY - timedelta(days=1), DAY]


def test_a_preliminary_one_is_settled_once(
    put: Put, pulse: Pulse, recorded: Recorded
) -> None:
    pulse(DAY + 23 * HOUR, 60)
    recorded(NEXT - MINUTE)
    storing.make_due("hour", NEXT)
    put("turns", NEXT - MINUTE, [1], "complete")
    assert storing.settle(NEXT + 9 * MINUTE) == 0
    assert _turns(Report.objects.get()) == 0

    recorded(NEXT)
    counts = [storing.settle(NEXT + 15 * MINUTE) for _ in range(2)]

    assert counts == [1, 0]
    report = Report.objects.get()
    assert _turns(report) == 1
    assert report.body["is_settled"]
    assert report.created_at == NEXT + 15 * MINUTE


def test_storing_again_takes_the_place_of_the_old_one(put: Put, pulse: Pulse) -> None:
    pulse(DAY, 60)
    window = Window("hour", DAY)
    storing.store(window, NEXT)
    put("turns", DAY, [1] * 3, "complete")

    storing.store(window, NEXT)

    assert _turns(Report.objects.get()) == 3


def test_two_at_once_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compute = storing.compute

    def overtaken(window: Window, now: datetime) -> Report:
        storing.store(window, now)
        return compute(window, now)

    monkeypatch.setattr(storing, "compute", overtaken)
    monkeypatch.setattr(
        storing, "store", lambda window, now: compute(window, now).save()
    )

    assert storing.make_due("hour", NEXT) == 0
    assert Report.objects.count() == 1


def test_without_a_recorder_none_is_settled() -> None:
    Total.objects.all().delete()
    storing.make_due("hour", NEXT)

    assert storing.settle(NEXT + HOUR) == 0


def test_the_schedule_s_jobs_make_each_kind() -> None:
    before = timezone.now()
    for name in ("check_performance", "report_hour", "report_day"):
        assert jobs.run(f"monitoring.{name}").detail == "1"

    now = timezone.now()
    for period in Report.Period.values:
        (begin,) = _begins(period)
        assert last(period, before).begin <= begin <= last(period, now).begin


# --- Mail ----------------------------------------------------------------------------


@pytest.fixture
def wanted(settings: Any) -> None:
    settings.REPORT_EMAIL_TO = ["olga@example.org", "otto@example.org"]
    settings.REPORT_EMAIL_PERIODS = ["day"]


def test_without_anybody_to_send_it_to_nothing_is_mailed() -> None:
    storing.make_due("day", NEXT + 10 * MINUTE)

    assert not Delivery.objects.exists()


@pytest.mark.usefixtures("wanted")
def test_a_settled_one_is_mailed_as_it_is_made() -> None:
    storing.make_due("day", NEXT + 10 * MINUTE)

    mail = Delivery.objects.get()
    assert mail.subject == f"Oracle Chat report, Day: {DAY:%Y-%m-%d} (UTC)"
    assert mail.payload["to"] == ["olga@example.org", "otto@example.org"]
    assert "Turns with a session to find" in mail.text
    assert mail.channel == "email"


@pytest.mark.usefixtures("wanted")
def test_a_preliminary_one_is_mailed_once_it_is_settled(recorded: Recorded) -> None:
    recorded(NEXT - MINUTE)
    storing.make_due("day", NEXT + MINUTE)
    assert not Delivery.objects.exists()

    recorded(NEXT + MINUTE)
    for _ in range(2):
        storing.settle(NEXT + 15 * MINUTE)

    assert Delivery.objects.count() == 1


@pytest.mark.usefixtures("wanted")
def test_other_periods_are_mailed_only_if_asked_for(settings: Any) -> None:
    storing.make_due("hour", NEXT + 15 * MINUTE)
    assert not Delivery.objects.exists()

    settings.REPORT_EMAIL_PERIODS = ["hour"]
    storing.make_due("hour", NEXT + 75 * MINUTE)

    assert Delivery.objects.count() == 1


def _turns(report: Report) -> Any:
    (value,) = (
        figure["value"]
        for section in report.body["sections"]
        for figure in section["figures"]
        if figure["key"] == "turns"
    )
    return value
