"""What a run leaves behind, however often and whenever it runs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from chat.models import Generation
from monitoring import jobs
from monitoring.history import minute_of, reading, recording
from monitoring.models import CheckResult, JobRun, Point, Sample, Total
from tests.monitoring.history import turns
from tests.monitoring.history.turns import NOW, Window, ago

pytestmark = pytest.mark.django_db
LEVELS = ("memory_percent", "disk_free_gb")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep minutes as recent as they are told to be: older ones are not read."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def points() -> list[tuple[Any, ...]]:
    """Return all of them, without those that differ from moment to moment."""
    fields = ("step_s", "begin", "name", "label", "count", "total", "low", "high")
    rows = Point.objects.exclude(name__in=LEVELS)
    return list(rows.order_by(*fields).values_list(*fields, "sketch"))


def test_a_turn_is_measured_in_the_minute_it_began_in() -> None:
    turns.put(
        {
            "created_at": ago(minutes=3),
            "variant": "on",
            "session_outcome": "recovered",
            "session_ms": 12.0,
            "duration_ms": 900.0,
            "time_to_first_token_ms": 300.0,
            "prompt_tokens": 1000,
            "cached_tokens": 800,
            "output_tokens": 200,
            "thoughts_tokens": 50,
        }
    )

    recording.record(NOW)

    begin = ago(minutes=3).replace(second=0)
    found = Point.objects.filter(step_s=60, begin=begin)
    assert dict(found.values_list("name", "total")) == {
        "turn_ms": 900.0,
        "first_text_ms": 300.0,
        "turns": 1.0,
        "prompt_tokens": 1000.0,
        "cached_tokens": 800.0,
        "output_tokens": 200.0,
        "thoughts_tokens": 50.0,
        "billed_tokens": pytest.approx(280.0),
        "cost_usd": pytest.approx((280 * 0.75 + 250 * 3.75) / 1_000_000),
        "session_found": 1.0,
        "session_recovered_ms": 12.0,
    }


def test_what_a_turn_did_not_report_is_not_0() -> None:
    turns.put({"status": "failed", "error_code": "GEMINI_TIMEOUT"})

    recording.record(NOW)

    assert (
        turns.counted("prompt_tokens")
        == turns.counted("cost_usd")
        == turns.counted("turn_ms")
        == 0
    )
    assert turns.counted("turns") == 1
    errors = reading.by_label("errors", begin=ago(days=1), end=NOW)
    assert list(errors) == ["GEMINI_TIMEOUT"]


def test_an_unknown_model_has_no_price() -> None:
    tokens = {
        "prompt_tokens": 10,
        "cached_tokens": 0,
        "output_tokens": 5,
        "thoughts_tokens": 0,
    }
    turns.put(tokens | {"model": "gemini-99"})

    recording.record(NOW)

    assert turns.counted("cost_usd") == 0
    assert turns.counted("billed_tokens") == 1


def test_a_second_run_changes_nothing() -> None:
    turns.put(*turns.at_random(Random(1), 200, within=timedelta(hours=3)))
    turns.record_all()
    before = points()

    again = recording.record(NOW)

    assert again == 0
    assert points() == before


def test_a_turn_that_ends_late_is_still_counted_where_it_began() -> None:
    (running,) = turns.put({"status": "running", "created_at": ago(minutes=47)})
    for past in range(46, 0, -1):
        recording.record(ago(minutes=past))
    assert turns.counted("turns") == 0

    Generation.objects.filter(pk=running.pk).update(
        status="complete", ended_at=NOW, duration_ms=2_800_000.0
    )
    recording.record(NOW)

    minute = ago(minutes=47).replace(second=0)
    assert (
        turns.counted("turn_ms", begin=minute, end=minute + timedelta(minutes=1)) == 1
    )


def test_a_pause_is_made_up_for_once_the_present_is_recorded() -> None:
    recording.record(ago(hours=20))
    turns.put(*({"created_at": ago(hours=hour, minutes=5)} for hour in range(19)))

    recording.record(NOW)
    at_once = turns.counted("turns", begin=ago(minutes=10), end=NOW)
    in_one_run = turns.counted("turns")
    for minute in range(1, 5):
        recording.record(NOW + timedelta(minutes=minute))

    assert at_once == 1
    assert in_one_run < 19
    assert turns.counted("turns") == 19


def test_the_first_run_takes_up_the_past() -> None:
    turns.put({"created_at": ago(days=20)}, {"created_at": ago(days=2)}, {})

    recording.record(NOW)

    assert turns.counted("turns", begin=ago(days=30)) == 3


def test_hours_are_the_sum_of_their_minutes() -> None:
    turns.put(*turns.at_random(Random(2), 300, within=timedelta(hours=4)))

    turns.record_all()

    sums = [
        (sum(row.count for row in rows), sum(row.total for row in rows))
        for rows in (
            Point.objects.filter(step_s=step, name="turn_ms") for step in (60, 3600)
        )
    ]
    assert sums[0] == pytest.approx(sums[1])
    assert sums[0][0] == 300


def test_jobs_checks_and_begun_conversations_are_measured() -> None:
    JobRun.objects.create(
        name="a.job",
        slot="1",
        holder="-",
        started_at=ago(minutes=4),
        ended_at=ago(minutes=2),
        outcome="failed",
    )
    CheckResult.objects.create(
        name="disk", status="degraded", sentence="", took_ms=5.0, at=ago(minutes=1)
    )
    Sample.objects.create(name="create_session", value=3.0, at=ago(minutes=1))

    recording.record(NOW)

    span = Window(begin=ago(hours=1), end=NOW)
    job = reading.by_label("job_ms", **span)["a.job"]
    assert job.total == 120_000
    assert reading.summary("jobs_failed", label="a.job", **span).count == 1
    assert reading.summary("checks_bad", label="disk", **span).count == 1
    assert reading.summary("check_ms", **span).total == 5.0
    assert reading.summary("create_session_ms", **span).total == 3.0


def test_a_job_that_was_killed_failed_when_its_limit_was_over() -> None:
    limit = {job.name: job.limit_s for job in jobs.registered()}["monitoring.ping"]
    for slot, over_s in (("1", 90), ("2", -5)):
        JobRun.objects.create(
            name="monitoring.ping",
            slot=slot,
            holder="far:boot:1:1",
            started_at=ago(seconds=limit + over_s),
        )

    recording.record(NOW)

    minute = minute_of(ago(seconds=90))
    span = Window(begin=minute, end=minute + timedelta(minutes=1))
    assert reading.summary("jobs_failed", label="monitoring.ping", **span).count == 1
    assert turns.counted("jobs_failed") == 1
    assert turns.counted("job_ms") == 0


def test_a_time_below_0_is_no_measurement() -> None:
    turns.put(
        {"duration_ms": -5.0}, {"duration_ms": float("inf")}, {"duration_ms": 7.0}
    )

    recording.record(NOW)

    assert (
        reading.summary(
            "turn_ms", begin=ago(hours=1), end=NOW + timedelta(minutes=1)
        ).total
        == 7.0
    )


@pytest.mark.parametrize("back", [timedelta(minutes=30), timedelta(days=9)])
def test_a_clock_set_back_destroys_nothing_and_doubles_nothing(back: timedelta) -> None:
    turns.put(*turns.at_random(Random(3), 100, within=timedelta(days=10)))
    turns.record_all()
    Point.objects.filter(step_s=60, begin__lt=ago(days=7)).delete()
    before = [row for row in points() if row[2] == "turn_ms"]

    recording.record(NOW - back)
    recording.record(NOW - back + timedelta(minutes=1))
    recording.record(NOW + timedelta(minutes=1))

    hours = [row for row in points() if row[2] == "turn_ms" and row[0] == 3600]
    assert hours == [row for row in before if row[0] == 3600]


def test_a_clock_that_was_ahead_for_a_while_stops_nothing() -> None:
    recording.record(NOW + timedelta(days=365))
    turns.put({"created_at": ago(minutes=1)})

    recording.record(NOW)

    assert turns.counted("turns") == 1


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_leave_what_one_would_leave() -> None:
    turns.put(*turns.at_random(Random(4), 200, within=timedelta(minutes=30)))
    start = Barrier(4)

    def run() -> int:
        start.wait()
        try:
            return recording.record(NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        written = [each.result() for each in [threads.submit(run) for _ in range(4)]]
    found = points()
    Point.objects.all().delete()
    Total.objects.filter(name__startswith="history_").delete()
    recording.record(NOW)

    assert sum(count > 0 for count in written) == 1
    assert found == points()
