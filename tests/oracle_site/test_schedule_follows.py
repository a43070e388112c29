"""Jobs whose period is a runtime setting: taken over by a beat that goes on running."""

import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)

from flags import changes, runtime
from flags.changes import Actor
from flags.models import Change
from monitoring import jobs
from monitoring.models import JobRun, Lease
from oracle_site.celery import app
from oracle_site.models import BrokerMessage
from oracle_site.schedule import LeasedScheduler, ensure_defaults, follow_settings

NAME = "chat.clean_up_sessions"
SETTING = "CLEANUP_INTERVAL"


@pytest.fixture(scope="module", autouse=True)
def _every_task() -> None:
    app.loader.import_default_modules()


@pytest.fixture
def scheduler(transactional_db: None) -> Iterator[LeasedScheduler]:
    """A beat that runs already; nothing is due."""
    del transactional_db
    ensure_defaults()
    PeriodicTask.objects.update(last_run_at=timezone.now())
    running = LeasedScheduler(app=app)
    running.tick()
    yield running
    running.close()


def _set(**wanted: object) -> None:
    olga = Actor("olga", Change.Channel.COMMAND)
    changes.apply(wanted, actor=olga, reason="A test.")


def _row() -> PeriodicTask:
    return PeriodicTask.objects.get(name=NAME)


def _change_row(**values: Any) -> None:
    """Change the row as the admin may, and tell the beat."""
    PeriodicTask.objects.filter(name=NAME).update(**values)
    PeriodicTasks.update_changed()


def _every_s(row: PeriodicTask) -> float:
    assert row.interval is not None
    return float(row.interval.schedule.run_every.total_seconds())


def _slots() -> list[str]:
    payloads = BrokerMessage.objects.values_list("payload", flat=True)
    headers = [json.loads(payload)["headers"] for payload in payloads]
    return [each["slot"] for each in headers if each["task"] == NAME]


def test_a_running_beat_takes_over_a_period_that_was_changed(
    scheduler: LeasedScheduler,
) -> None:
    assert scheduler.schedule[NAME].schedule.run_every == timedelta(seconds=300)

    _set(CLEANUP_INTERVAL=60)
    scheduler.tick()

    entry = scheduler.schedule[NAME]
    assert entry.schedule.run_every == timedelta(seconds=60)
    assert entry.options["expires"] == 60
    assert (_every_s(_row()), _row().expire_seconds) == (60, 60)


def test_what_is_due_by_the_new_period_is_sent(scheduler: LeasedScheduler) -> None:
    _change_row(last_run_at=timezone.now() - timedelta(seconds=70))
    scheduler.tick()
    assert _slots() == []

    _set(CLEANUP_INTERVAL=60)
    for _ in range(5):
        scheduler.tick()

    assert len(_slots()) == 1


def test_two_beats_that_send_the_same_period_make_one_run(
    scheduler: LeasedScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now().replace(second=30)
    clock = SimpleNamespace(now=lambda: now)  # no minute may end between the two
    monkeypatch.setattr("oracle_site.schedule.timezone", clock)
    _set(CLEANUP_INTERVAL=60)
    other = LeasedScheduler(app=app)
    for beat in (scheduler, other):
        Lease.objects.all().delete()
        _change_row(last_run_at=timezone.now() - timedelta(seconds=70))
        beat.tick()

    one, same = _slots()
    runs = [jobs.run(NAME, slot=slot) for slot in (one, same)]

    assert one == same == now.replace(second=0, microsecond=0).isoformat()
    assert [run.outcome for run in runs] == ["done", None]
    assert JobRun.objects.filter(name=NAME).count() == 1


@pytest.mark.django_db
def test_a_job_s_first_period_is_the_setting_s() -> None:
    PeriodicTask.objects.all().delete()
    _set(CLEANUP_INTERVAL=120)

    ensure_defaults()

    assert _every_s(_row()) == 120
    assert SETTING in _row().description


@pytest.mark.django_db
def test_every_job_that_follows_a_setting_follows_it() -> None:
    ensure_defaults()
    followed = {job.name: job.follows for job in jobs.registered() if job.follows}
    assert followed[NAME] == SETTING

    for job, setting in followed.items():
        every_s = runtime.find(setting).get() + 1
        _set(**{setting: every_s})
        assert follow_settings() == [
            name for name, other in followed.items() if other == setting
        ]
        assert _every_s(PeriodicTask.objects.get(name=job)) == every_s


@pytest.mark.django_db
def test_while_nothing_was_changed_nothing_is_written() -> None:
    ensure_defaults()
    follow_settings()
    before = PeriodicTasks.last_change()

    assert follow_settings() == []
    assert PeriodicTasks.last_change() == before


@pytest.mark.django_db
def test_whether_a_job_runs_stays_the_admin_s() -> None:
    ensure_defaults()
    _change_row(enabled=False)
    _set(CLEANUP_INTERVAL=60)

    follow_settings()

    assert not _row().enabled
    assert _every_s(_row()) == 60


@pytest.mark.django_db
def test_a_job_that_follows_nothing_is_the_admin_s_alone() -> None:
    ensure_defaults()
    slow = IntervalSchedule.objects.create(every=99, period="seconds")
    PeriodicTask.objects.filter(name="chat.purge_expired").update(interval=slow)

    follow_settings()

    assert PeriodicTask.objects.get(name="chat.purge_expired").interval == slow


@pytest.mark.django_db
def test_a_period_of_the_admin_s_gives_way_to_the_setting() -> None:
    ensure_defaults()
    _change_row(interval=IntervalSchedule.objects.create(every=99, period="seconds"))

    assert follow_settings() == [NAME]
    assert _every_s(_row()) == 300


def _crontab() -> dict[str, Any]:
    return {"crontab": CrontabSchedule.objects.create(hour="3")}


def _solar() -> dict[str, Any]:
    north = {"latitude": 50, "longitude": 14}
    return {"solar": SolarSchedule.objects.create(event="sunrise", **north)}


def _clocked() -> dict[str, Any]:
    later = timezone.now() + timedelta(days=1)
    clocked = ClockedSchedule.objects.create(clocked_time=later)
    return {"clocked": clocked, "one_off": True}


@pytest.mark.parametrize("timetable", [_crontab, _solar, _clocked])
def test_another_kind_of_timetable_gives_way_to_the_setting(
    scheduler: LeasedScheduler, timetable: Any
) -> None:
    _change_row(interval=None, **timetable())

    scheduler.tick()

    _row().full_clean()
    assert _every_s(_row()) == 300
    assert scheduler.schedule[NAME].schedule.run_every == timedelta(seconds=300)


def test_an_end_that_the_admin_has_set_stays_and_does_not_stop_the_beat(
    scheduler: LeasedScheduler,
) -> None:
    end = timezone.now() + timedelta(days=1)
    _change_row(expires=end, expire_seconds=None)
    _set(CLEANUP_INTERVAL=60)

    scheduler.tick()

    row = _row()
    row.full_clean()
    assert (row.expires, row.expire_seconds, _every_s(row)) == (end, None, 60)


@pytest.mark.django_db
def test_a_job_is_late_by_its_new_period() -> None:
    ensure_defaults()
    now = timezone.now()
    JobRun.objects.create(
        name=NAME, slot="one", holder="-", started_at=now - timedelta(seconds=100)
    )
    assert NAME not in jobs.late(now)

    _set(CLEANUP_INTERVAL=30)
    follow_settings()

    assert NAME in jobs.late(now)
