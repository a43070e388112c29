"""How Celery is set up: nothing lost, nothing piled up, nobody held up."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from celery.schedules import crontab, schedule
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring import jobs
from monitoring.models import JobRun, Lease
from oracle_site.celery import app
from oracle_site.models import BrokerMessage
from oracle_site.schedule import LEASE, LeasedScheduler, ensure_defaults, slot
from tests.servers import ROOT

NOW = datetime(2026, 1, 2, 3, 4, 50, tzinfo=UTC)


def _python(code: str, **env: str) -> str:
    """Run code in a process of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | env,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def _every_task() -> None:
    app.loader.import_default_modules()


@pytest.fixture
def scheduler(transactional_db: None) -> Iterator[LeasedScheduler]:
    del transactional_db  # it closes connections, which ends a test's transaction
    running = LeasedScheduler(app=app)
    yield running
    running.close()


def _make_due(name: str) -> None:
    """Let this job be due, and no other, whatever minute ends meanwhile."""
    now = timezone.now()
    PeriodicTask.objects.update(last_run_at=now)
    PeriodicTask.objects.filter(crontab__isnull=False).update(enabled=False)
    PeriodicTask.objects.filter(name=name).update(last_run_at=now - timedelta(days=1))


def _queued() -> list[dict[str, object]]:
    payloads = BrokerMessage.objects.values_list("payload", flat=True)
    return [json.loads(payload)["headers"] for payload in payloads]


def test_every_job_is_a_task_that_can_neither_hang_nor_pile_up() -> None:
    for job in jobs.registered():
        task = app.tasks[job.name]
        assert task.acks_late
        assert task.reject_on_worker_lost
        assert task.time_limit == job.limit_s
        assert task.soft_time_limit < job.limit_s
        assert task.expires == job.every_s


@pytest.mark.django_db
def test_a_task_that_is_sent_waits_in_the_database() -> None:
    app.tasks["chat.reap_generations"].delay()

    (headers,) = _queued()
    assert headers["task"] == "chat.reap_generations"
    assert headers["expires"] is not None


@pytest.mark.django_db
def test_a_task_takes_the_id_of_the_request_along_that_sent_it() -> None:
    task = app.tasks["chat.reap_generations"]

    with structlog.contextvars.bound_contextvars(request_id="asked-by-7"):
        task.delay()
    task.delay()

    with_id, without = _queued()
    assert with_id["request_id"] == "asked-by-7"
    assert "request_id" not in without


@pytest.mark.django_db
def test_a_task_leaves_the_context_of_whoever_runs_it_as_it_was() -> None:
    with structlog.contextvars.bound_contextvars(request_id="outer"):
        app.tasks["chat.reap_generations"].apply(headers={"request_id": "inner"})

        assert structlog.contextvars.get_contextvars() == {"request_id": "outer"}


@pytest.mark.django_db
def test_a_task_run_by_hand_has_a_slot_of_its_own_and_runs_once() -> None:
    task = app.tasks["chat.reap_generations"]

    for _ in range(2):
        task.apply(task_id="by-hand")

    assert JobRun.objects.filter(name="chat.reap_generations").exists()
    assert jobs.run("chat.reap_generations", slot="by-hand").outcome is None


def test_a_queue_that_is_frozen_holds_nobody_up_for_long() -> None:
    code = (
        "import time; from oracle_site.celery import app\n"
        "import django; django.setup(); app.loader.import_default_modules()\n"
        "begin = time.monotonic()\n"
        "try: app.tasks['chat.reap_generations'].delay()\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print(time.monotonic() - begin)"
    )
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        port = frozen.getsockname()[1]
        said = _python(code, CELERY_BROKER_URL=f"redis://127.0.0.1:{port}/0")

    error, waited_s = said.split()
    assert error == "OperationalError"
    assert float(waited_s) < 5


def test_on_redis_a_task_is_not_started_again_while_it_runs() -> None:
    code = (
        "import json; from oracle_site import settings\n"
        "print(json.dumps(settings.CELERY_BROKER_TRANSPORT_OPTIONS))"
    )

    options = json.loads(_python(code, CELERY_BROKER_URL="redis://127.0.0.1:1/0"))

    longest_s = max(job.limit_s for job in jobs.registered())
    assert options["visibility_timeout"] > longest_s
    assert options["unacked_restore_throttle"] == 1


@pytest.mark.django_db
def test_every_job_gets_a_place_in_the_timetable() -> None:
    ensure_defaults()

    for job in jobs.registered():
        row = PeriodicTask.objects.get(name=job.name)
        assert row.task == job.name
        assert (row.interval is None) == bool(job.crontab)
        assert row.expire_seconds == job.every_s


@pytest.mark.django_db
def test_what_the_admin_has_set_is_never_overwritten() -> None:
    ensure_defaults()
    slow = IntervalSchedule.objects.create(every=99, period="seconds")
    PeriodicTask.objects.filter(name="chat.reap_generations").update(
        interval=slow, enabled=False
    )

    ensure_defaults()

    row = PeriodicTask.objects.get(name="chat.reap_generations")
    assert row.interval == slow
    assert not row.enabled


@pytest.mark.parametrize(
    ("timetable", "expected"),
    [
        (schedule(run_every=timedelta(seconds=15)), "2026-01-02T03:04:45+00:00"),
        (schedule(run_every=timedelta(hours=1)), "2026-01-02T03:00:00+00:00"),
        (crontab(minute="4"), "2026-01-02T03:04:00+00:00"),
    ],
)
def test_a_slot_is_the_begin_of_the_period(timetable: object, expected: str) -> None:
    assert slot(timetable, NOW) == expected


def test_the_one_who_leads_sends_what_is_due_once_stamped_with_its_period(
    scheduler: LeasedScheduler,
) -> None:
    _make_due("chat.reap_generations")
    for _ in range(5):
        scheduler.tick()

    (headers,) = _queued()
    assert headers["task"] == "chat.reap_generations"
    assert str(headers["slot"]).startswith(str(timezone.now().year))


def test_on_a_fresh_site_every_job_that_has_no_hour_is_due_at_once(
    scheduler: LeasedScheduler,
) -> None:
    names = {job.name for job in jobs.registered() if not job.crontab}
    PeriodicTask.objects.filter(crontab__isnull=False).update(enabled=False)

    for _ in range(len(names) + 1):
        scheduler.tick()

    assert {headers["task"] for headers in _queued()} == names


def test_one_who_does_not_lead_sends_nothing(scheduler: LeasedScheduler) -> None:
    _make_due("chat.reap_generations")
    until = timezone.now() + timedelta(seconds=10)
    lease = Lease.objects.create(name=LEASE, holder="far:boot:1:1", until=until)
    waits_s = scheduler.tick()
    assert not _queued()
    assert 0 < waits_s <= 5

    lease.delete()
    scheduler.tick()
    assert len(_queued()) == 1


def test_one_who_ends_lets_the_next_one_lead_at_once(
    scheduler: LeasedScheduler,
) -> None:
    scheduler.tick()
    assert Lease.objects.exists()

    scheduler.close()

    assert not Lease.objects.exists()


def test_a_row_of_a_release_that_was_rolled_back_is_left_out(
    scheduler: LeasedScheduler,
) -> None:
    row = PeriodicTask.objects.get(name="chat.reap_generations")
    PeriodicTask.objects.create(
        name="newer.job", task="newer.job", interval=row.interval
    )

    names = {entry.name for entry in scheduler.enabled_models()}

    assert "chat.reap_generations" in names
    assert "newer.job" not in names
