"""A rollout whose plan was made by a newer release: it can be ended, all the same."""

from datetime import timedelta

import pytest
from django.db.models import QuerySet

from flags import changes, gathering, rollouts
from flags.models import Rollout, RolloutPlan
from flags.situation import Move, State
from monitoring import runbook
from monitoring.models import Alert
from tests.chat.observed import NOON
from tests.flags.commands import run, run_json
from tests.flags.ordering import LATER, placed, ramped
from tests.flags.ramping import ALICE

pytestmark = pytest.mark.django_db
_TICK = timedelta(seconds=30)


def _made_newer() -> None:
    for each in RolloutPlan.objects.all():
        body = each.body | {"quantum_gates": []}
        QuerySet.update(RolloutPlan.objects.filter(pk=each.pk), body=body)


def test_it_moves_nothing_alarms_once_and_counts_as_not_looked_at() -> None:
    rollout = placed(State.RAMPING, ticked_at=NOON)
    _made_newer()

    made = [rollouts.tick(LATER + each * _TICK) for each in range(3)]

    assert made == [None] * 3
    rollout.refresh_from_db()
    assert (rollout.state, int(rollout.percent)) == ("ramping", 20)
    assert rollout.ticked_at == NOON
    assert gathering.flag_percent() == 20
    [alert] = Alert.objects.all()
    assert (alert.name, alert.severity) == ("rollout-plan-unreadable", "critical")
    assert "quantum_gates" in alert.summary
    assert runbook.sections(alert.runbook)[0].title == f"Alert: {alert.name}"


def test_one_that_waits_does_not_begin() -> None:
    placed(State.ARMED)
    _made_newer()

    assert rollouts.tick(LATER) is None
    assert gathering.flag_percent() == 0


def test_switched_off_by_a_person_it_is_rolled_back_and_confirmed() -> None:
    rollout = placed(State.RAMPING)
    _made_newer()
    changes.kill(actor=ALICE, reason="Enough.")

    made = [rollouts.tick(LATER + each * _TICK) for each in range(3)]

    assert [each and each.action for each in made] == [
        Move.ROLL_BACK,
        Move.CONFIRM,
        None,
    ]
    rollout.refresh_from_db()
    assert rollout.state == State.ROLLED_BACK
    alert = Alert.objects.get(name="rollout-plan-unreadable")
    assert alert.resolved_at is not None


def test_once_it_can_be_read_the_alarm_is_over() -> None:
    placed(State.RAMPING)
    body = RolloutPlan.objects.get(name="short").body
    _made_newer()
    rollouts.tick(LATER)

    QuerySet.update(RolloutPlan.objects.filter(name="short"), body=body)
    decision = rollouts.tick(LATER + _TICK)

    assert decision is not None
    assert Alert.objects.get(name="rollout-plan-unreadable").resolved_at is not None


def test_its_status_says_so_and_both_ways_out_work() -> None:
    rollout = ramped()
    _made_newer()

    told, as_json = run("rollout", "status"), run_json("rollout", "status")
    run("rollout", "rollback", "--reason", "Enough.")

    assert "ramping at 20 %. This release can't read the plan short@1" in told
    assert "quantum_gates" in as_json["rollout"]["plan_fault"]
    rollout.refresh_from_db()
    assert rollout.state == State.ROLLING_BACK
    assert gathering.flag_percent() == 0


def test_a_kill_ends_it() -> None:
    ramped()
    _made_newer()

    told = run("rollout", "kill")

    assert "it ends with this" in told
    assert Rollout.objects.get().state == State.ROLLING_BACK
