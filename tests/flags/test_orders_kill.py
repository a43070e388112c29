"""A kill works whatever is wrong, and the percent belongs to who holds it."""

import pytest
from django.db.models import QuerySet

from flags import changes, gathering, orders, rollouts
from flags.conf import PERCENT, USE
from flags.errors import RolloutRefused
from flags.models import Decision, Rollout, RolloutPlan, RuntimeSetting
from flags.rollouts import Order
from flags.situation import Move, State
from tests.chat import stored
from tests.flags.ordering import BOB, LATER, last, placed
from tests.flags.ramping import ALICE

pytestmark = pytest.mark.django_db
BRIEF = Order(actor=ALICE, reason="")


@pytest.mark.parametrize("state", State)
def test_a_kill_works_in_every_state(state: State) -> None:
    rollout = placed(state)
    is_on = gathering.flag_percent() > 0

    killed = orders.kill(BRIEF, now=LATER)

    rollout.refresh_from_db()
    assert bool(killed.changes) == is_on
    assert gathering.flag_percent() == 0
    assert rollout.state in {State.ROLLING_BACK, State.ROLLED_BACK}
    assert not orders.kill(BRIEF, now=LATER).changes


def test_a_kill_is_the_rollouts_decision_as_well() -> None:
    rollout = placed(State.RAMPING)

    killed = orders.kill(Order(actor=ALICE, reason="Caf\udce9"), now=LATER)

    assert killed.decision == last(rollout)
    assert last(rollout).sentence == "alice rolled it back from 20 to 0 %: Caf\ufffd"


def test_a_kill_without_a_rollout_is_one_all_the_same() -> None:
    changes.apply(changes.set_percent(10), actor=ALICE, reason="Go.")

    killed = orders.kill(BRIEF, now=LATER)

    assert len(killed.changes) == 1
    assert killed.decision is None


def test_a_kill_works_with_a_broken_plan_or_value() -> None:
    placed(State.RAMPING)
    QuerySet.update(RolloutPlan.objects.all(), body={})
    RuntimeSetting.objects.update(value="broken")

    assert orders.kill(BRIEF, now=LATER).changes
    assert gathering.flag_percent() == 0


def test_a_kill_works_where_the_rollout_can_not_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = placed(State.RAMPING)

    def broken() -> Rollout:
        raise LookupError("The row is gone.")

    monkeypatch.setattr("flags.rollouts.watched", broken)
    killed = orders.kill(BRIEF, now=LATER)

    assert killed.changes
    assert killed.decision is None
    assert gathering.flag_percent() == 0
    assert not rollout.decisions.exists()


_HOLDING = [State.ARMED, State.RAMPING, State.HELD, State.ROLLING_BACK]


@pytest.mark.parametrize("state", _HOLDING)
def test_the_percent_is_the_rollouts_while_it_is_under_way(state: State) -> None:
    rollout = placed(state)

    with pytest.raises(RolloutRefused) as refused:
        changes.apply({PERCENT.name: 33}, actor=BOB, reason="More.")
    with pytest.raises(RolloutRefused):
        changes.preview({PERCENT.name: 33})

    assert f"Rollout {rollout.pk}, which alice started, holds" in str(refused.value)
    assert "`manage.py rollout kill` always works" in str(refused.value)


@pytest.mark.parametrize("state", [State.PAUSED, State.COMPLETED])
def test_the_percent_is_anybodys_in_a_pause_and_afterwards(state: State) -> None:
    placed(state)

    assert changes.apply({PERCENT.name: 33}, actor=BOB, reason="A third.")


def test_other_settings_are_free_and_off_is_always_possible() -> None:
    placed(State.RAMPING)

    changes.apply({"CLEANUP_BATCH_SIZE": 60}, actor=BOB, reason="Bigger.")
    changes.apply({USE.name: False}, actor=BOB, reason="No.")

    with pytest.raises(RolloutRefused):
        changes.apply({USE.name: True}, actor=BOB, reason="Yes.")
    assert not Decision.objects.exists()


@pytest.mark.parametrize("is_on", [True, False])
def test_a_kill_that_is_not_recorded_keeps_what_waits_from_beginning(
    monkeypatch: pytest.MonkeyPatch, is_on: bool
) -> None:
    rollout = placed(State.ARMED)
    stored.put(**{USE.name: is_on})

    def broken(*_: object, **__: object) -> Rollout:
        raise LookupError("The row can't be written.")

    with monkeypatch.context() as patched:
        patched.setattr("flags.decisions.append", broken)
        assert orders.kill(BRIEF, now=LATER).decision is None
    decision = rollouts.tick(LATER)

    assert decision is not None
    assert decision.action == Move.ROLL_BACK
    assert "alice switched the flag off before it began" in decision.sentence
    assert gathering.flag_percent() == 0
    rollout.refresh_from_db()
    assert rollout.state == State.ROLLING_BACK
