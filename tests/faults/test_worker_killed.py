"""Workers and schedulers are killed with -9: no job is lost, none has two effects."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.faults.workers import (
    Deployment,
    deployment,
    is_alive,
    migrated,
    postgresql,
    wait_until,
)

SERVER = os.environ.get("TEST_POSTGRESQL_URL", "postgres://postgres@127.0.0.1:5432")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated(tmp_path_factory.mktemp("template"))


@pytest.fixture
def jobs(tmp_path: Path, template: Path) -> Iterator[Deployment]:
    with deployment(tmp_path, template=template) as running:
        yield running


@pytest.fixture
def jobs_on_postgresql(tmp_path: Path) -> Iterator[Deployment]:
    try:
        psycopg.connect(f"{SERVER}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL answers at TEST_POSTGRESQL_URL (127.0.0.1:5432)")
    with (
        postgresql(SERVER) as url,
        deployment(tmp_path, database_url=url) as running,
    ):
        yield running


def _begun(jobs: Deployment) -> int:
    return len(jobs.notes("begin"))


@pytest.mark.parametrize("fixture", ["jobs", "jobs_on_postgresql"])
def test_tasks_of_a_worker_that_was_killed_with_its_pool_are_done_by_the_next_one(
    request: pytest.FixtureRequest, fixture: str
) -> None:
    jobs: Deployment = request.getfixturevalue(fixture)
    first = jobs.worker()
    jobs.send_jobs("a", "b", "c", "d")
    wait_until(lambda: _begun(jobs) == 2)

    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    jobs.let_jobs_end()
    jobs.worker()
    wait_until(lambda: len(jobs.ended()) >= 4)
    wait_until(lambda: jobs.left_in_queue() == 0)

    assert jobs.ended() == ["a", "b", "c", "d"]


def test_a_worker_killed_alone_loses_nothing_and_its_schedule_ends_with_it(
    jobs: Deployment,
) -> None:
    first = jobs.worker("-B")
    jobs.send_jobs("a", "b")
    wait_until(lambda: _begun(jobs) == 2 and jobs.beat_pid())
    beat = jobs.beat_pid()
    assert psutil.Process(beat).ppid() == first.pid

    first.kill()
    first.wait()
    jobs.worker()
    wait_until(lambda: not is_alive(beat), patience_s=8)
    jobs.let_jobs_end()
    wait_until(lambda: len(jobs.ended()) >= 2)
    wait_until(lambda: jobs.left_in_queue() == 0)

    assert jobs.ended() == ["a", "b"]


def test_a_database_that_cuts_every_connection_costs_no_task(
    jobs_on_postgresql: Deployment,
) -> None:
    jobs = jobs_on_postgresql
    worker = jobs.worker("-B")
    jobs.send_jobs("a", "b", "c")
    wait_until(lambda: _begun(jobs) == 2 and jobs.beat_pid())
    beat = jobs.beat_pid()

    jobs.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    jobs.let_jobs_end()
    wait_until(lambda: jobs.left_in_queue() == 0)
    outcomes = "SELECT outcome FROM monitoring_jobrun WHERE name = 'trial.job'"

    assert jobs.ended() == ["a", "b", "c"]
    assert jobs.rows(outcomes) == [("done",)] * 3
    assert worker.poll() is None
    assert is_alive(beat)


def test_a_task_whose_pool_process_was_killed_is_done_by_another_one(
    jobs: Deployment,
) -> None:
    jobs.worker()
    jobs.send_jobs("a")
    wait_until(lambda: _begun(jobs) == 1)
    ((_, _, first_pid),) = jobs.notes("begin")

    os.kill(int(first_pid), signal.SIGKILL)
    wait_until(lambda: _begun(jobs) == 2)
    jobs.let_jobs_end()
    wait_until(lambda: jobs.left_in_queue() == 0)

    ((_, slot, second_pid),) = jobs.notes("end")
    assert slot == "a"
    assert second_pid != first_pid


def test_pool_processes_that_are_killed_while_they_wait_are_replaced(
    jobs: Deployment,
) -> None:
    jobs.let_jobs_end()
    worker = psutil.Process(jobs.worker().pid)
    jobs.send_jobs("a")
    wait_until(lambda: jobs.ended() == ["a"] and jobs.left_in_queue() == 0)

    for child in worker.children():
        child.kill()
    jobs.send_jobs("b")
    wait_until(lambda: jobs.left_in_queue() == 0)

    assert jobs.ended() == ["a", "b"]


@pytest.mark.slow
def test_a_task_that_kills_whoever_runs_it_is_given_up_and_the_worker_goes_on(
    jobs: Deployment,
) -> None:
    jobs.let_jobs_end()
    jobs.send("trial.poison", {"folder": str(jobs.folder)})
    jobs.send_jobs("after")
    jobs.worker()
    wait_until(lambda: jobs.left_in_queue() == 0)

    assert len(jobs.notes("poison")) == 5
    assert jobs.ended() == ["after"]
    buried = jobs.rows("SELECT buried_because FROM oracle_site_brokermessage")
    assert buried == [("not finished in 5 deliveries",)]


def test_a_worker_that_is_told_to_end_finishes_what_it_began_and_leaves_the_rest(
    jobs: Deployment,
) -> None:
    worker = jobs.worker()
    jobs.send_jobs(*"abcdef")
    wait_until(lambda: _begun(jobs) == 2)

    worker.terminate()
    wait_until(lambda: "Warm shutdown" in jobs.log())
    jobs.let_jobs_end()
    worker.wait(20)

    ended = jobs.ended()
    assert len(ended) == _begun(jobs) == len(set(ended))
    assert jobs.left_in_queue() == 6 - len(ended) > 0


SCHEDULE = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
second = IntervalSchedule.objects.create(every=1, period="seconds")
PeriodicTask.objects.create(name="trial.tick", task="trial.tick", interval=second)
"""


def _slots_sent(jobs: Deployment) -> list[str]:
    """Return the period that each queued tick is stamped with."""
    payloads = jobs.rows("SELECT payload FROM oracle_site_brokermessage ORDER BY id")
    headers = [json.loads(payload)["headers"] for (payload,) in payloads]
    return [each["slot"] for each in headers if each["task"] == "trial.tick"]


def test_two_schedulers_send_each_period_once_and_one_takes_over_from_the_other(
    jobs: Deployment,
) -> None:
    jobs.python(SCHEDULE)
    schedulers = {jobs.celery("beat").pid for _ in range(2)}
    wait_until(lambda: len(_slots_sent(jobs)) >= 4)
    leader = jobs.beat_pid()
    assert leader in schedulers

    os.kill(leader, signal.SIGKILL)
    wait_until(lambda: jobs.beat_pid() in schedulers - {leader}, patience_s=8)
    count = len(_slots_sent(jobs))
    wait_until(lambda: len(_slots_sent(jobs)) >= count + 2)

    slots = _slots_sent(jobs)
    assert len(set(slots)) >= len(slots) - 1  # the new one may send the last one again


def test_a_schedule_that_was_killed_inside_its_worker_is_started_again(
    jobs: Deployment,
) -> None:
    worker = jobs.worker("-B")
    wait_until(jobs.beat_pid)
    first = jobs.beat_pid()

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: jobs.beat_pid() not in {0, first})
    second = jobs.beat_pid()
    assert psutil.Process(second).ppid() == worker.pid

    worker.terminate()
    worker.wait(20)
    wait_until(lambda: not is_alive(second), patience_s=8)


@pytest.mark.slow
def test_a_storm_of_kills_loses_no_task_and_leaves_the_database_whole(
    jobs: Deployment,
) -> None:
    options = ("-B", "--max-tasks-per-child", "7")
    slots = {f"slot-{number}" for number in range(300)}
    dice = random.Random(1)
    jobs.let_jobs_end()
    jobs.send_jobs(*slots)
    worker = jobs.worker(*options)
    kill_count = 25
    for _ in range(kill_count):
        time.sleep(dice.uniform(0.2, 2))
        children = psutil.Process(worker.pid).children()
        if children and dice.random() < 0.8:
            dice.choice(children).kill()
        else:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
            worker = jobs.worker(*options)
    wait_until(lambda: jobs.left_in_queue() == 0, patience_s=120)

    ended = jobs.ended()
    outcomes = "SELECT DISTINCT outcome FROM monitoring_jobrun WHERE name = 'trial.job'"
    assert set(ended) == slots
    assert len(ended) - len(slots) <= kill_count  # killed before it was recorded
    assert jobs.rows(outcomes) == [("done",)]
    assert jobs.rows("PRAGMA integrity_check") == [("ok",)]
