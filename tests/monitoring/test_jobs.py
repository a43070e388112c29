"""One run per period of each job, and who notices when there is none."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from pytest_django import DjangoAssertNumQueries

from monitoring import jobs, processes, timetable
from monitoring.models import JobRun
from tests.servers import ROOT

pytestmark = pytest.mark.django_db

NAME = "trial.job"
SLOT = "2026-01-01T00:00:00+00:00"
Install = Callable[[Callable[[], int]], None]


class Work:
    """A job's function that counts its calls."""

    call_count = 0

    def __call__(self) -> int:
        self.call_count += 1
        return 7


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    def _install(func: Callable[[], int]) -> None:
        job = jobs.Job(name=NAME, func=func, every_s=15, limit_s=60)
        monkeypatch.setitem(jobs._jobs, NAME, job)

    return _install


@pytest.fixture
def work(install: Install) -> Work:
    counter = Work()
    install(counter)
    return counter


def _dead_process() -> str:
    """Return the identity of a real process that has ended."""
    code = "from monitoring import processes; print(processes.me())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def test_a_slot_is_run_once(work: Work) -> None:
    first = jobs.run(NAME, slot=SLOT)
    second = jobs.run(NAME, slot=SLOT)

    assert (first.outcome, first.detail) == ("done", "7")
    assert second.outcome is None
    assert work.call_count == 1


def test_each_slot_is_run(work: Work) -> None:
    jobs.run(NAME, slot="one")
    jobs.run(NAME, slot="two")

    assert work.call_count == 2


def test_without_a_slot_it_always_runs(work: Work) -> None:
    jobs.run(NAME)
    jobs.run(NAME)

    assert work.call_count == 2


def test_a_failure_is_recorded_by_its_kind_and_stays_loud(
    install: Install,
) -> None:
    def fail() -> int:
        raise ValueError("with a secret")

    install(fail)

    with pytest.raises(ValueError, match="with a secret"):
        jobs.run(NAME, slot=SLOT)

    record = JobRun.objects.get()
    assert (record.outcome, record.detail) == ("failed", "ValueError")
    assert record.ended_at is not None


def test_a_run_that_still_goes_on_is_left_alone(work: Work) -> None:
    JobRun.objects.create(name=NAME, slot=SLOT, holder=processes.me())

    assert jobs.run(NAME, slot=SLOT).outcome is None
    assert work.call_count == 0


def test_a_run_whose_process_died_is_run_again(work: Work) -> None:
    JobRun.objects.create(name=NAME, slot=SLOT, holder=_dead_process())

    assert jobs.run(NAME, slot=SLOT).outcome == "done"
    assert jobs.run(NAME, slot=SLOT).outcome is None
    assert work.call_count == 1


def test_a_run_of_another_host_is_run_again_after_its_limit(work: Work) -> None:
    record = JobRun.objects.create(name=NAME, slot=SLOT, holder="far:boot:1:1")

    assert jobs.run(NAME, slot=SLOT).outcome is None
    JobRun.objects.update(started_at=record.started_at - timedelta(seconds=61))
    assert jobs.run(NAME, slot=SLOT).outcome == "done"
    assert work.call_count == 1


def test_one_who_lost_its_slot_does_not_write_the_outcome(
    install: Install,
) -> None:
    install(lambda: JobRun.objects.update(holder="far:boot:1:1"))

    jobs.run(NAME, slot=SLOT)

    assert JobRun.objects.get().outcome == "running"


def test_an_unknown_job_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(jobs.UnknownJob, match=r"no job 'nope'.*chat\.purge_expired"):
        jobs.run("nope")


def test_every_job_of_the_site_is_known_by_name() -> None:
    names = {job.name for job in jobs.registered()}

    assert names >= {
        "chat.purge_expired",
        "chat.reap_generations",
        "monitoring.purge_records",
    }


def test_the_command_runs_a_job_and_prints_json(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("run_job", NAME, "--json")

    printed = json.loads(capsys.readouterr().out)
    assert (printed["name"], printed["outcome"]) == (NAME, "done")
    assert work.call_count == 1


def test_the_command_says_in_words_what_was_done(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("run_job", NAME)

    assert capsys.readouterr().out == "trial.job: done, 7\n"
    assert work.call_count == 1


def test_the_command_names_the_jobs_when_it_knows_none_of_that_name() -> None:
    with pytest.raises(CommandError, match=r"There are:.*chat\.reap_generations"):
        call_command("run_job", "nope")


@pytest.mark.parametrize(("age_s", "is_late"), [(44, False), (46, True)])
def test_a_job_is_late_after_three_periods(
    work: Work, age_s: int, is_late: bool
) -> None:
    now = timezone.now()
    JobRun.objects.create(
        name=NAME, slot=SLOT, holder="-", started_at=now - timedelta(seconds=age_s)
    )

    assert (NAME in jobs.late(now)) is is_late
    assert work.call_count == 0


def test_the_last_success_of_each_job_is_read_in_one_query(
    work: Work, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    for age, outcome in ((3, "done"), (2, "done"), (1, "failed"), (0, "running")):
        JobRun.objects.create(
            name=NAME,
            slot=str(age),
            holder="-",
            started_at=now - timedelta(minutes=age),
            ended_at=now - timedelta(minutes=age, seconds=-5),
            outcome=outcome,
        )

    with django_assert_num_queries(1):
        found = timetable.last_successes([NAME, "other"])

    assert found == {NAME: jobs.last_success(NAME)}
    assert work.call_count == 0


def test_the_lateness_of_all_jobs_is_read_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for job in jobs.registered():
        JobRun.objects.create(name=job.name, slot=SLOT, holder="-")

    with django_assert_num_queries(1):
        assert list(jobs.late(timezone.now())) == []


def test_everything_is_late_while_no_worker_has_ever_run(work: Work) -> None:
    assert NAME in jobs.late(timezone.now())
    assert work.call_count == 0


@pytest.mark.parametrize(("age_s", "is_late"), [(44, False), (46, True)])
def test_a_job_that_never_ran_is_measured_from_the_first_run_of_any(
    work: Work, age_s: int, is_late: bool
) -> None:
    now = timezone.now()
    JobRun.objects.create(
        name="other", slot=SLOT, holder="-", started_at=now - timedelta(seconds=age_s)
    )

    assert (NAME in jobs.late(now)) is is_late
    assert work.call_count == 0


@pytest.mark.parametrize(
    ("every", "is_enabled", "is_late"),
    [(15, True, True), (60, True, False), (15, False, False)],
)
def test_lateness_follows_the_timetable_that_the_admin_has_set(
    work: Work, every: int, is_enabled: bool, is_late: bool
) -> None:
    now = timezone.now()
    interval = IntervalSchedule.objects.create(every=every, period="seconds")
    PeriodicTask.objects.create(
        name=NAME, task=NAME, interval=interval, enabled=is_enabled
    )
    JobRun.objects.create(
        name=NAME, slot=SLOT, holder="-", started_at=now - timedelta(seconds=100)
    )

    assert (NAME in jobs.late(now)) is is_late
    assert work.call_count == 0


def test_records_of_runs_are_kept_for_a_week() -> None:
    now = timezone.now()
    for days in (6, 8):
        JobRun.objects.create(
            name=NAME, slot=str(days), holder="-", started_at=now - timedelta(days=days)
        )

    run = jobs.run("monitoring.purge_records")

    assert run.detail == "1"
    assert not JobRun.objects.filter(slot="8").exists()
    assert JobRun.objects.filter(slot="6").exists()


def test_deleting_in_batches_deletes_all_that_match_and_counts_them() -> None:
    JobRun.objects.bulk_create(
        JobRun(name=NAME, slot=str(number), holder="-") for number in range(120)
    )
    JobRun.objects.create(name="other", slot="kept", holder="-")

    count = jobs.delete_in_batches(JobRun.objects.filter(name=NAME))

    assert count == 120
    assert JobRun.objects.get().slot == "kept"
