"""Jobs by the clock: their rows, their slots, and who makes up for a missed time."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import ModelEntry
from django_celery_beat.tzcrontab import TzAwareCrontab

from monitoring import jobs
from monitoring.models import JobRun, Lease
from oracle_site.celery import app
from oracle_site.models import BrokerMessage
from oracle_site.schedule import LeasedScheduler, ensure_defaults, slot

NAME = "monitoring.clean_up_daily"
NOW = datetime(2026, 1, 2, 3, 4, 50, tzinfo=UTC)  # a Friday


@pytest.fixture(scope="module", autouse=True)
def _every_task() -> None:
    app.loader.import_default_modules()


@pytest.fixture
def scheduler(transactional_db: None) -> Iterator[LeasedScheduler]:
    """A beat of which only the daily job may become due."""
    del transactional_db
    ensure_defaults()
    PeriodicTask.objects.exclude(name=NAME).update(enabled=False)
    running = LeasedScheduler(app=app)
    yield running
    running.close()


def _row() -> PeriodicTask:
    return PeriodicTask.objects.get(name=NAME)


def _sent_long_ago() -> None:
    long_ago = timezone.now() - timedelta(days=2)
    PeriodicTask.objects.filter(name=NAME).update(last_run_at=long_ago)
    PeriodicTasks.update_changed()


def _slots() -> list[str]:
    payloads = BrokerMessage.objects.values_list("payload", flat=True)
    return [json.loads(payload)["headers"]["slot"] for payload in payloads]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("monitoring.check_health", "*/5 * * * *"),
        ("monitoring.check_performance", "*/15 * * * *"),
        ("monitoring.report_hour", "0 * * * *"),
        ("monitoring.report_day", "10 0 * * *"),
        (NAME, "0 0 * * *"),
    ],
)
def test_the_guide_s_crontab_is_the_default(name: str, words: str) -> None:
    ensure_defaults()

    crontab = PeriodicTask.objects.get(name=name).crontab
    assert crontab is not None
    assert str(crontab) == f"{words} (m/h/dM/MY/d) UTC"


@pytest.mark.django_db
def test_jobs_of_the_same_times_share_a_row() -> None:
    ensure_defaults()
    PeriodicTask.objects.filter(name=NAME).delete()
    before = CrontabSchedule.objects.count()

    ensure_defaults()

    assert CrontabSchedule.objects.count() == before


@pytest.mark.django_db
def test_a_time_that_the_admin_has_set_stays() -> None:
    ensure_defaults()
    night = CrontabSchedule.objects.create(minute="30", hour="3")
    PeriodicTask.objects.filter(name=NAME).update(crontab=night)

    ensure_defaults()

    assert _row().crontab == night


@pytest.mark.parametrize(
    ("timetable", "expected"),
    [
        (crontab(minute="*/5"), "2026-01-02T03:00:00+00:00"),
        (crontab(minute="0", hour="0"), "2026-01-02T00:00:00+00:00"),
        (crontab(minute="10", hour="4"), "2026-01-01T04:10:00+00:00"),
        (crontab(minute="0", hour="0", day_of_week="5"), "2026-01-02T00:00:00+00:00"),
        (
            TzAwareCrontab(minute="0", hour="4", tz=ZoneInfo("Europe/Berlin")),
            "2026-01-02T03:00:00+00:00",
        ),
        # Longer ago than it looks back.
        (crontab(minute="0", hour="0", day_of_month="20"), "2026-01-02T03:04:00+00:00"),
    ],
)
def test_a_slot_by_the_clock_is_the_time_that_has_come(
    timetable: object, expected: str
) -> None:
    assert slot(timetable, NOW) == expected


def test_a_new_one_waits_for_its_time(scheduler: LeasedScheduler) -> None:
    PeriodicTask.objects.filter(name=NAME).update(last_run_at=timezone.now())

    for _ in range(2):
        scheduler.tick()

    assert _slots() == []


def test_a_time_that_passed_while_no_scheduler_ran_is_made_up_for(
    scheduler: LeasedScheduler,
) -> None:
    far = (timezone.now() + timedelta(hours=12)).hour
    other = CrontabSchedule.objects.create(minute="0", hour=str(far))
    PeriodicTask.objects.filter(name=NAME).update(crontab=other)
    _sent_long_ago()

    for _ in range(3):
        scheduler.tick()

    assert len(_slots()) == 1


def test_one_that_takes_over_later_makes_no_second_run(
    scheduler: LeasedScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before was killed before it had noted what it sent."""
    _sent_long_ago()
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    later = midnight + timedelta(minutes=3, seconds=20)
    for beat, now in ((scheduler, midnight), (LeasedScheduler(app=app), later)):
        Lease.objects.all().delete()
        clock = SimpleNamespace(now=lambda now=now: now)
        monkeypatch.setattr("oracle_site.schedule.timezone", clock)
        beat._initial_read = True
        beat._heap = None
        for _ in range(2):
            beat.tick()
        _sent_long_ago()

    assert len(_slots()) == 2
    assert set(_slots()) == {midnight.isoformat()}


def test_a_clock_that_is_set_back_stops_no_job(
    scheduler: LeasedScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs, and what was changed, by the clock ahead keeps nothing from now on."""
    ahead = timezone.now() + timedelta(hours=1)
    _sent_long_ago()
    with monkeypatch.context() as early:
        early.setattr(ModelEntry, "_default_now", lambda _: ahead)
        scheduler.tick()
    assert scheduler.schedule[NAME].last_run_at == ahead
    PeriodicTasks.objects.update(last_update=ahead)
    scheduler.tick()

    assert _row().last_run_at <= timezone.now()
    assert scheduler.schedule[NAME].last_run_at <= timezone.now()
    _sent_long_ago()
    for _ in range(3):
        scheduler.tick()

    assert len(_slots()) == 2


@pytest.mark.django_db
def test_a_fresh_site_does_not_call_it_late_before_its_first_time() -> None:
    now = timezone.now()
    long_ago = now - timedelta(days=6)
    JobRun.objects.create(name="other", slot="one", holder="-", started_at=long_ago)
    assert NAME in jobs.late(now)

    ensure_defaults()

    assert NAME not in jobs.late(now)
    assert NAME not in jobs.late(now + timedelta(days=2))
    assert NAME in jobs.late(now + timedelta(days=4))


@pytest.mark.django_db
def test_what_was_sent_and_never_begun_is_late() -> None:
    now = timezone.now()
    ensure_defaults()
    long_ago = now - timedelta(days=6)
    JobRun.objects.create(name="other", slot="one", holder="-", started_at=long_ago)

    PeriodicTask.objects.filter(name=NAME).update(total_run_count=1, last_run_at=now)

    assert NAME in jobs.late(now)


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "is_late"), [(2.9, False), (3.1, True)])
def test_an_hourly_one_is_late_after_three_hours(hours: float, is_late: bool) -> None:
    ensure_defaults()
    now = timezone.now()
    name = "monitoring.report_hour"
    JobRun.objects.create(
        name=name, slot="one", holder="-", started_at=now - timedelta(hours=hours)
    )

    assert (name in jobs.late(now)) is is_late


@pytest.mark.django_db
def test_one_whose_times_the_admin_has_changed_is_late_after_three_days() -> None:
    ensure_defaults()
    now = timezone.now()
    name = "monitoring.report_hour"
    night = CrontabSchedule.objects.create(minute="30", hour="3")
    PeriodicTask.objects.filter(name=name).update(crontab=night)
    for slot_name, days in (("new", 2.9), ("old", 5)):
        JobRun.objects.create(
            name=name,
            slot=slot_name,
            holder="-",
            started_at=now - timedelta(days=days),
        )

    assert name not in jobs.late(now)
    JobRun.objects.filter(slot="new").delete()
    assert name in jobs.late(now)
