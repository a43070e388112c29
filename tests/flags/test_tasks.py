"""The job that looks at the rollout, and what is said while nobody does."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flags import rollout_probes, rollouts, tasks
from flags.models import Decision, Rollout
from flags.plans import TICK_S
from flags.situation import State
from monitoring import jobs, registry
from monitoring.alerting import engine
from monitoring.models import Alert, AlertRule
from tests.chat.observed import NOON
from tests.flags import ramping
from tests.flags.ordering import placed
from tests.flags.ramping import TICK, People

pytestmark = pytest.mark.django_db


def _statements(minutes: float, **people: int) -> int:
    ramping.started()
    crowd = People(**people)
    end = NOON + timedelta(minutes=minutes)
    ramping.pass_time(crowd, minutes=minutes)
    crowd.talk(end + TICK)
    with CaptureQueriesContext(connection) as seen:
        assert rollouts.tick(end + TICK) is not None
    return len(seen)


def test_the_job_runs_every_half_a_minute() -> None:
    jobs.registered()
    placed(State.PAUSED)

    run = jobs.run("flags.tick_rollouts")

    assert run.detail == "1"
    assert Decision.objects.count() == 1
    assert tasks.tick_rollouts.expires == TICK_S


def test_without_a_rollout_it_asks_once() -> None:
    with CaptureQueriesContext(connection) as seen:
        assert tasks.tick() == 0

    assert len(seen) == 1


@pytest.mark.parametrize("a_minute", [2, 40])
def test_a_tick_asks_as_often_whatever_the_traffic(a_minute: int) -> None:
    assert _statements(2, a_minute=a_minute) <= 36


@pytest.mark.django_db(transaction=True)
def test_nobody_looks_at_it_and_an_alert_says_so() -> None:
    AlertRule.objects.exclude(name="rollout-not-ticking").update(is_enabled=False)
    rollout = placed(State.RAMPING)
    now = timezone.now()
    Rollout.objects.update(ticked_at=now - timedelta(seconds=250))
    engine.evaluate(now)
    assert not Alert.objects.exists()

    Rollout.objects.update(ticked_at=now - timedelta(seconds=310))
    engine.evaluate(timezone.now())

    [alert] = Alert.objects.all()
    assert (alert.name, alert.severity) == ("rollout-not-ticking", "critical")
    Rollout.objects.update(state=State.ROLLED_BACK, ended_at=now)
    assert registry.metric("rollout_tick_age_s").read(timedelta(0))[0].value is None
    assert rollout_probes.tick_age_s(rollout, NOON - timedelta(hours=1)) == 0


def test_the_numbers_for_metrics() -> None:
    levels = {each.name: each for each in registry.levels()}
    phase = levels["oracle_rollout_phase"]
    evidence = levels["oracle_rollout_evidence_ratio"]
    assert (phase.read(), evidence.read()) == ({}, {})

    ramping.started()
    assert phase.read() == {"": 0}
    ramping.pass_time(People(failing=0.5), minutes=4)

    assert phase.read() == {"": 1}
    known = Rollout.objects.get().evidence
    errors = known["knowledge"]["harms"]["errors"]
    errors["evidence"] = errors["peak"] / 2  # it is judged by the most there was
    Rollout.objects.update(evidence=known)
    assert evidence.read()["errors"] == pytest.approx(errors["peak"] * 0.009)
    assert set(evidence.read()) == {each.key for each in ramping.SHORT.harms}


def test_the_timeline_hears_what_was_decided_and_changed_something() -> None:
    ramping.started()
    ramping.pass_time(People(), minutes=6)

    events = [
        each
        for each in registry.events(NOON, NOON + timedelta(hours=1))
        if each.kind == "rollout"
    ]

    assert [each.actor for each in events] == ["rollout", "rollout"]
    assert "Phase 1 begins" in events[0].text
    assert "Phase 2 begins" in events[1].text
