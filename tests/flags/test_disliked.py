"""What people say of their answers takes a rollout back, or keeps it going."""

from datetime import timedelta
from decimal import Decimal

import pytest

from chat.models import Generation, Rating
from flags.models import Decision
from tests.chat.observed import NOON
from tests.flags import ramping
from tests.flags.ramping import People

pytestmark = pytest.mark.django_db


def _pass_time(minutes: int, *, bad_in: str) -> list[Decision]:
    """Let time pass in which everybody rates; one arm is displeased."""
    made, people = [], People(a_minute=30)
    for minute in range(minutes):
        since = NOON + timedelta(minutes=minute)
        made += ramping.pass_time(people, minutes=1, since=since)
        for turn in Generation.objects.filter(message__rating=None):
            Rating.objects.create(
                message=turn.message,
                is_good=turn.variant != bad_in,
                rated_at=turn.ended_at or since,
            )
    return made


def test_a_rollout_that_people_dislike_is_taken_back() -> None:
    ramping.started()

    made = _pass_time(12, bad_in="on")

    [back] = [each for each in made if each.action == "roll_back"]
    assert back.percent_after == 0
    assert "were disliked" in back.sentence


def test_one_whose_control_is_disliked_goes_on() -> None:
    ramping.started()

    made = _pass_time(12, bad_in="off")

    assert ("advance", Decimal(50)) in ramping.moves(made)
    assert "roll_back" not in [action for action, _ in ramping.moves(made)]
