"""What the jobs' own records tell alert rules."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from monitoring import jobs, processes, slis
from monitoring.alerting import engine
from monitoring.models import Alert, AlertRule, Delivery, JobRun, Lease

pytestmark = pytest.mark.django_db


def _failures() -> dict[str, float | None]:
    found = slis.read("job_failures", timedelta(hours=1))
    return {reading.label: reading.value for reading in found}


def _run(name: str, outcome: str, *, ago: timedelta) -> None:
    JobRun.objects.create(
        name=name,
        slot=f"{name}-{ago}",
        holder="h:b:1:1",
        outcome=outcome,
        started_at=timezone.now() - ago,
    )


def test_a_job_has_failed_until_it_ends_well_again() -> None:
    minutes = [timedelta(minutes=number) for number in range(60)]
    _run("broken", "done", ago=minutes[30])
    _run("broken", "failed", ago=minutes[20])
    _run("broken", "failed", ago=minutes[10])
    _run("broken", "running", ago=minutes[0])
    _run("mended", "failed", ago=minutes[20])
    _run("mended", "done", ago=minutes[10])
    _run("never", "failed", ago=minutes[10])
    _run("running", "running", ago=minutes[10])
    _run("long-ago", "failed", ago=timedelta(hours=2))

    assert _failures() == {"broken": 2, "mended": 0, "never": 1}


def test_a_job_that_was_killed_has_failed() -> None:
    job = next(each for each in jobs.registered() if each.name == "monitoring.deliver")
    over = timedelta(seconds=job.limit_s + 1)
    _run(job.name, "running", ago=over)
    _run("monitoring.ping", "running", ago=timedelta(seconds=1))
    by_hand = "monitoring.check_health"
    _run(by_hand, "running", ago=timedelta(minutes=30))
    JobRun.objects.filter(name=by_hand).update(slot="by-hand-1")

    assert _failures() == {job.name: 1}


def test_a_job_whose_process_died_has_failed_before_its_limit() -> None:
    place, pid, _ = processes.me().rsplit(":", 2)
    for name, slot in (("monitoring.ping", "1"), ("by-hand", "by-hand-1")):
        _run(name, "running", ago=timedelta(seconds=1))
        JobRun.objects.filter(name=name).update(slot=slot, holder=f"{place}:{pid}:1")

    assert _failures() == {"by-hand": 1, "monitoring.ping": 1}


def _alert_states(name: str) -> list[str]:
    found = Alert.objects.filter(name=name).order_by("pk")
    return list(found.values_list("state", flat=True))


@pytest.mark.django_db(transaction=True)
def test_that_no_worker_runs_is_told_though_the_scheduler_lives() -> None:
    now = timezone.now()
    AlertRule.objects.exclude(name__in=["beat-silent", "worker-silent"]).delete()
    Lease.objects.create(
        name="beat", holder="h:b:1:1", until=now + timedelta(seconds=15)
    )
    _run("monitoring.deliver", "done", ago=timedelta(minutes=4))

    engine.evaluate(now)
    engine.evaluate(now + timedelta(seconds=30))
    while_away = _alert_states("worker-silent")
    _run("monitoring.deliver", "running", ago=timedelta())
    engine.evaluate(now + timedelta(seconds=60))

    assert while_away == ["firing"]
    assert _alert_states("worker-silent") == ["resolved"]
    assert _alert_states("beat-silent") == []


def test_a_worker_that_never_ran_is_silent_since_there_are_tables() -> None:
    MigrationRecorder(connection).migration_qs.update(
        applied=timezone.now() - timedelta(hours=1)
    )

    (reading,) = slis.read("worker_silent_s", timedelta(minutes=1))

    assert reading.value == pytest.approx(3600, abs=60)


def test_a_clock_that_was_set_back_hides_no_silent_worker() -> None:
    _run("monitoring.deliver", "done", ago=timedelta(days=-1))
    _run("monitoring.deliver", "done", ago=timedelta(minutes=10))

    (reading,) = slis.read("worker_silent_s", timedelta(minutes=1))

    assert reading.value == pytest.approx(600, abs=60)


def test_a_job_that_is_run_by_hand_is_no_sign_of_a_worker() -> None:
    _run("monitoring.deliver", "done", ago=timedelta(minutes=10))
    jobs.run("monitoring.purge_records")

    (reading,) = slis.read("worker_silent_s", timedelta(minutes=1))

    assert reading.value == pytest.approx(600, abs=60)


def test_where_cron_runs_every_job_that_is_enough() -> None:
    jobs.run("monitoring.purge_records")

    (reading,) = slis.read("worker_silent_s", timedelta(minutes=1))

    assert reading.value == pytest.approx(0, abs=60)


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_every_other_time_is_one_alert() -> None:
    AlertRule.objects.exclude(name="job-failed").delete()
    begin = timezone.now()
    for minute in range(20):
        outcome = "done" if minute % 2 else "failed"
        _run("monitoring.ping", outcome, ago=timedelta(minutes=20 - minute))
        newest = JobRun.objects.latest("pk")
        newest.started_at = timezone.now()
        newest.save()
        engine.evaluate(begin + timedelta(minutes=minute))
        engine.evaluate(begin + timedelta(minutes=minute, seconds=30))

    assert _alert_states("job-failed") == ["firing"]
    told = Delivery.objects.exclude(channel="log")
    assert told.count() == 0
    assert Delivery.objects.filter(channel="log").count() == 1
