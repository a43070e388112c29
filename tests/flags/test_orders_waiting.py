"""Holds, and the word of a second person."""

from datetime import datetime, timedelta

import pytest

from flags import gathering, orders
from flags.errors import InvalidValue, RolloutRefused
from flags.models import Rollout
from flags.situation import Situation, State
from tests.flags.ordering import BOBS, LATER, NEEDY, WHY, placed

pytestmark = pytest.mark.django_db
_SECOND = timedelta(seconds=1)


def _situation(now: datetime) -> Situation:
    return gathering.gather(Rollout.objects.get(), now).situation


def test_a_hold_has_an_end_and_is_let_go_of() -> None:
    rollout = placed(State.RAMPING)

    with pytest.raises(InvalidValue, match="would be over"):
        orders.hold(rollout, WHY, now=LATER, until=LATER)
    orders.hold(rollout, WHY, now=LATER, until=LATER + timedelta(hours=1))
    orders.hold(rollout, BOBS, now=LATER)
    one, other = rollout.holds.order_by("id")
    orders.release(rollout, WHY, now=LATER, hold_id=other.pk)
    with pytest.raises(InvalidValue, match=f"there are: {one.pk}, {other.pk}"):
        orders.release(rollout, WHY, now=LATER, hold_id=999)

    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.released_at, other.released_by) == (None, "alice")
    assert orders.release(rollout, BOBS, now=LATER).is_new
    assert not rollout.holds.filter(released_at=None).exists()


def test_a_hold_until_a_moment_ends_by_itself() -> None:
    rollout = placed(State.RAMPING)
    end = LATER + timedelta(hours=1)

    orders.hold(rollout, WHY, now=LATER, until=end)

    assert _situation(end - _SECOND).holds == ("Held by alice: Because.",)
    assert _situation(end).holds == ()


def test_a_second_person_approves_what_the_first_asked_for() -> None:
    rollout = placed(State.RAMPING, NEEDY)
    with pytest.raises(RolloutRefused, match="Nobody has asked"):
        orders.approve(rollout, BOBS, now=LATER)

    orders.request_approval(rollout, WHY, now=LATER)
    assert not orders.request_approval(rollout, WHY, now=LATER).is_new
    with pytest.raises(RolloutRefused, match="a second person must give it"):
        orders.approve(rollout, WHY, now=LATER)
    orders.approve(rollout, BOBS, now=LATER)

    [approval] = rollout.approvals.all()
    assert (approval.requested_by, approval.approved_by) == ("alice", "bob")
    assert approval.phase_index == 1
    assert not orders.approve(rollout, WHY, now=LATER).is_new
    assert gathering.gather(Rollout.objects.get(), LATER).situation.is_approved


def test_a_phase_that_needs_no_approval_gets_none() -> None:
    rollout = placed(State.RAMPING)

    with pytest.raises(RolloutRefused, match="needs nobody's approval"):
        orders.request_approval(rollout, WHY, now=LATER)


def test_requests_and_approvals_hold_for_three_days() -> None:
    rollout = placed(State.RAMPING, NEEDY)
    orders.request_approval(rollout, WHY, now=LATER)
    approved_at = LATER + timedelta(days=3) - _SECOND
    orders.approve(rollout, BOBS, now=approved_at)
    end = approved_at + timedelta(days=3)

    assert _situation(end - _SECOND).is_approved
    assert not _situation(end).is_approved
    assert orders.request_approval(rollout, WHY, now=end).is_new
    with pytest.raises(RolloutRefused, match="Nobody has asked"):
        orders.approve(rollout, BOBS, now=end + timedelta(days=3))


def test_an_approval_given_before_it_was_halved_must_be_asked_for_again() -> None:
    rollout = placed(State.RAMPING, NEEDY)
    orders.request_approval(rollout, WHY, now=LATER)
    orders.approve(rollout, BOBS, now=LATER)
    halved_at = LATER + timedelta(minutes=1)

    orders.halve(rollout, WHY, now=halved_at)

    later = halved_at + timedelta(minutes=1)
    assert not gathering.gather(Rollout.objects.get(), later).situation.is_approved
    assert orders.request_approval(rollout, WHY, now=later).is_new
    assert orders.approve(rollout, BOBS, now=later).is_new
    assert gathering.gather(Rollout.objects.get(), later).situation.is_approved


def test_an_approval_given_before_a_gate_paused_it_must_be_asked_for_again() -> None:
    rollout = placed(State.RAMPING, NEEDY)
    orders.request_approval(rollout, WHY, now=LATER)
    orders.approve(rollout, BOBS, now=LATER)

    Rollout.objects.update(halved_at=LATER + _SECOND)

    assert not _situation(LATER + 2 * _SECOND).is_approved
