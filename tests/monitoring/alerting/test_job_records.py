"""What the jobs' own records tell alert rules."""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs, processes, slis
from monitoring.models import JobRun

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
