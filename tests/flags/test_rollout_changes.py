"""The flag itself: widened by a percent, killed, and made anew when it was lost."""

from decimal import Decimal

import pytest

from flags import changes, evaluation, orders, runtime
from flags.conf import FLAG, PERCENT, USE
from flags.errors import RolloutRefused, SwitchedOff
from flags.evaluation import Reason
from flags.models import Change, Flag, Rollout, RuntimeSetting
from flags.situation import State
from tests.flags import ordering
from tests.flags.operators import ALICE, BOB

pytestmark = pytest.mark.django_db


def _roll_out(percent: object) -> None:
    changes.apply(changes.set_percent(percent), actor=ALICE, reason="Because.")


def test_the_first_percent_switches_on() -> None:
    _roll_out("10")

    assert (USE.get(), PERCENT.get()) == (True, Decimal(10))
    assert evaluation.evaluate(FLAG, targeting_key="1").reason is Reason.SPLIT


def test_a_percent_does_not_undo_a_kill() -> None:
    _roll_out(10)
    changes.kill(actor=BOB, reason="Errors.")

    with pytest.raises(SwitchedOff) as refused:
        changes.set_percent(20)

    assert "switched off by bob at" in str(refused.value)
    assert "(Errors.)" in str(refused.value)
    assert changes.set_percent(0) == {PERCENT.name: Decimal(0)}
    assert changes.set_percent(20, is_enabling=True)[USE.name] is True
    assert changes.set_percent(0, is_enabling=True)[USE.name] is True


def test_a_kill_is_obeyed_at_once_and_needs_no_reason() -> None:
    _roll_out(100)
    before = evaluation.evaluate(FLAG, targeting_key="1")

    [killed] = changes.kill(actor=BOB)

    after = evaluation.evaluate(FLAG, targeting_key="1", held="on")
    assert (before.is_on, after.is_on) == (True, False)
    assert after.reason is Reason.DISABLED
    assert (killed.old, killed.new, killed.reason) == ("true", "false", "Kill switch.")
    assert PERCENT.get() == 100


def test_a_second_kill_says_that_it_was_off() -> None:
    _roll_out(100)
    changes.kill(actor=BOB)
    before = (runtime.stored(), Change.objects.count())

    assert changes.kill(actor=ALICE) == []
    assert (runtime.stored(), Change.objects.count()) == before


def test_a_kill_works_while_a_stored_value_is_broken() -> None:
    _roll_out(100)
    RuntimeSetting.objects.update(value="broken")

    assert len(changes.kill(actor=BOB)) == 1
    assert not evaluation.evaluate(FLAG, targeting_key="1").is_on


def test_a_change_makes_a_lost_flag_anew_and_says_that_it_was_lost() -> None:
    _roll_out(50)
    Flag.objects.filter(name=FLAG).delete()

    changes.apply({PERCENT.name: 10}, actor=ALICE, reason="Because.")

    told = Change.objects.filter(name=PERCENT.name).order_by("id")
    assert [str(each) for each in told][1:] == [
        "GRADUAL_ROLLOUT_PERCENTAGE: 0 → 50",
        "GRADUAL_ROLLOUT_PERCENTAGE:  → 0",
        "GRADUAL_ROLLOUT_PERCENTAGE: 0 → 10",
    ]
    assert evaluation.evaluate(FLAG, targeting_key="1").reason is Reason.DISABLED


def test_a_kill_of_a_lost_flag_makes_it_anew_switched_off() -> None:
    Flag.objects.filter(name=FLAG).delete()

    assert changes.kill(actor=BOB) == []
    assert Flag.objects.get(name=FLAG).everyone is False


def test_a_rollout_that_is_paused_before_it_began_lets_nobody_in() -> None:
    ordering.placed(State.ARMED)
    orders.pause(Rollout.objects.get(), ordering.WHY, now=ordering.LATER)

    with pytest.raises(RolloutRefused, match="once it has begun"):
        _roll_out(10)

    assert not evaluation.reaches_anybody(FLAG)
