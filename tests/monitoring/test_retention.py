"""How long each kind of record is kept."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db.models import Model
from django.utils import timezone

from monitoring import jobs, retention
from monitoring.history import hour_of, state
from monitoring.models import (
    Alert,
    CheckResult,
    Delivery,
    JobRun,
    Point,
    Report,
    Sample,
    Silence,
)

pytestmark = pytest.mark.django_db
NOW = datetime.fromisoformat("2026-11-26T14:07:30+00:00")
Make = Callable[[datetime], Model]


def _point(step_s: int) -> Make:
    return lambda at: Point.objects.create(
        step_s=step_s, begin=hour_of(at), name="turns", count=1, total=1.0
    )


def _report(period: str) -> Make:
    return lambda at: Report.objects.create(period=period, begin=at, end=at, body={})


def _delivery(at: datetime, **fields: str) -> Model:
    given = {"channel": "log", "severity": "warning", "state": "sent"} | fields
    return Delivery.objects.create(created_at=at, **given)


def _alert(at: datetime) -> Model:
    return Alert.objects.create(
        name="disk", severity="warning", state="resolved", resolved_at=at
    )


def _silence(at: datetime) -> Model:
    begin = at - timedelta(hours=1)
    return Silence.objects.create(starts_at=begin, ends_at=at, reason="Moving.")


def _check(at: datetime) -> Model:
    return CheckResult.objects.create(name="disk", status="healthy", took_ms=1, at=at)


KEPT_DAYS: list[tuple[str, Make, int]] = [
    ("minutes", _point(60), 7),
    ("hours", _point(3600), 400),
    ("runs", lambda at: JobRun.objects.create(name="a", started_at=at), 7),
    ("samples", lambda at: Sample.objects.create(name="a", value=1, at=at), 2),
    ("checks", _check, 30),
    ("deliveries", _delivery, 90),
    ("alerts", _alert, 400),
    ("silences", _silence, 400),
    ("quarters", _report("quarter"), 2),
    ("hourly reports", _report("hour"), 30),
    ("daily reports", _report("day"), 400),
]


@pytest.mark.parametrize(
    ("make", "days"),
    [each[1:] for each in KEPT_DAYS],
    ids=[each[0] for each in KEPT_DAYS],
)
def test_it_is_kept_for_so_many_days(make: Make, days: int) -> None:
    state.put(until=NOW)
    row = make(NOW - timedelta(days=days) + timedelta(hours=1))
    kept = retention.forget(NOW)

    gone = retention.forget(NOW + timedelta(hours=3))

    assert (kept, gone) == (0, 1)
    assert not type(row)._default_manager.filter(pk=row.pk).exists()


def test_an_open_alert_and_a_message_on_its_way_are_never_forgotten() -> None:
    long_ago = NOW - timedelta(days=1000)
    Alert.objects.create(
        name="disk", severity="warning", state="firing", began_at=long_ago
    )
    _delivery(long_ago, state="waiting")

    assert retention.forget(NOW) == 0


def test_minutes_that_no_hour_has_for_good_are_kept() -> None:
    _point(60)(NOW - timedelta(days=9))
    before = retention.forget(NOW)
    state.put(until=NOW - timedelta(days=10))

    while_behind = retention.forget(NOW)

    assert (before, while_behind) == (0, 0)


def test_the_job_forgets_and_says_how_much() -> None:
    Sample.objects.create(name="a", value=1, at=timezone.now() - timedelta(days=3))

    run = jobs.run("monitoring.purge_records")

    assert run.detail == "1"
