"""Jobs after a clock was set back: their slots come twice, and count the second time.

Slots are named after their time, so each one that comes again was run already.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs, processes
from monitoring.models import JobRun

pytestmark = pytest.mark.django_db

NAME = "trial.job"
NOW, NEXT, LAST = "now", "next", "last"


@pytest.fixture(autouse=True)
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have a job; return one item for each of its calls."""
    made: list[int] = []

    def work() -> int:
        made.append(1)
        return len(made)

    job = jobs.Job(name=NAME, func=work, every_s=15)
    monkeypatch.setitem(jobs._jobs, NAME, job)
    return made


def _ran(slot: str, *, name: str = NAME, outcome: str = "done", in_s: float) -> JobRun:
    """Have a run that began so many seconds from now."""
    begin = timezone.now() + timedelta(seconds=in_s)
    ended_at = None if outcome == "running" else begin
    return JobRun.objects.create(
        name=name,
        slot=slot,
        holder=processes.me(),
        started_at=begin,
        ended_at=ended_at,
        outcome=outcome,
        detail="by the clock ahead",
    )


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_slots_that_come_again_are_run_again_and_once(
    calls: list[int], outcome: str
) -> None:
    before = _ran("before", in_s=-90)
    for slot, in_s in ((NOW, 0), (NEXT, 15), (LAST, 3600)):
        _ran(slot, outcome=outcome, in_s=in_s)

    outcomes = [jobs.run(NAME, slot=slot).outcome for slot in (NOW, NOW, NEXT, LAST)]

    assert outcomes == ["done", None, "done", "done"]
    assert len(calls) == 3
    assert not JobRun.objects.filter(started_at__gt=timezone.now()).exists()
    record = JobRun.objects.get(slot=NOW)
    assert (record.outcome, record.detail) == ("done", "1")
    assert record.ended_at is not None
    before.refresh_from_db()
    assert before.detail == "by the clock ahead"


def test_what_one_job_finds_frees_the_slots_of_all(calls: list[int]) -> None:
    _ran(NOW, in_s=0)
    _ran("midnight", name="trial.daily", in_s=3600)

    jobs.run(NAME, slot=NOW)

    assert not JobRun.objects.filter(name="trial.daily").exists()
    assert len(calls) == 1


def test_clocks_of_two_hosts_may_differ_by_a_little(calls: list[int]) -> None:
    _ran(NOW, in_s=10)
    _ran(NEXT, in_s=30)

    assert jobs.run(NAME, slot=NOW).outcome is None
    assert JobRun.objects.count() == 2
    assert calls == []


def test_what_still_runs_is_left_alone(calls: list[int]) -> None:
    _ran(NOW, in_s=0)
    running = _ran(LAST, outcome="running", in_s=3600)

    assert jobs.run(NAME, slot=LAST).outcome is None
    assert jobs.run(NAME, slot=NOW).outcome is None

    running.refresh_from_db()
    assert running.outcome == "running"
    assert calls == []
