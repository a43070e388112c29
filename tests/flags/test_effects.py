"""What a preview says of conversations is what the order does to the flag."""

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from flags import effects, orders
from flags.conf import PERCENT
from flags.evaluation import Reason
from flags.models import Window
from flags.observations import ArmCounts
from flags.situation import Move, State
from tests.chat import stored
from tests.chat.observed import ended
from tests.flags.ordering import LATER, WHY, placed

pytestmark = pytest.mark.django_db


def test_an_order_that_leaves_the_flag_alone_says_so() -> None:
    rollout = placed(State.PAUSED)
    stored.put(**{PERCENT.name: 40})

    held = orders.preview("hold", rollout, WHY, now=LATER)
    resumed = orders.preview("resume", rollout, WHY, now=LATER)

    assert held.sentences == ["The percent stays at 40\u00a0%."]
    assert resumed.sentences[0] == "40\u00a0% → 20\u00a0% of conversations."


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        ("resume", State.HELD),
        ("roll_back", State.ROLLED_BACK),
        ("pause", State.PAUSED),
    ],
)
def test_what_is_so_already_is_told_as_it_is(verb: str, state: State) -> None:
    rollout = placed(state)

    shown = orders.preview(verb, rollout, WHY, now=LATER)

    assert shown.already
    assert (shown.outcome.state, shown.outcome.percent) == (state, rollout.percent)


def test_where_all_that_begin_get_it_nobody_counts_them_twice() -> None:
    rollout = placed(State.HELD)
    stored.put(**{PERCENT.name: 0})
    Window.objects.create(
        rollout=rollout,
        begin=LATER,
        end=LATER + timedelta(minutes=1),
        phase_index=0,
        percent=0,
        variant="off",
        **{
            each.name: 12 if each.name == "assigned_count" else 0
            for each in fields(ArmCounts)
        },
    )
    up = replace(
        orders.preview("hold", rollout, WHY, now=LATER).outcome,
        move=Move.COMPLETE,
        percent=Decimal(100),
    )

    told = effects.of(rollout, up, LATER + timedelta(minutes=2))

    assert told[1] == "The 12 conversations that begin in an hour get the feature."


def test_where_everybody_has_it_all_of_them_go_back() -> None:
    rollout = placed(State.COMPLETED)
    for _ in range(4):
        ended(stored.conversation(), LATER, variant_reason=Reason.STATIC)

    halved = orders.preview("halve", rollout, WHY, now=LATER)
    ended_all = orders.preview("roll_back", rollout, WHY, now=LATER)

    assert halved.sentences[-1].startswith("About 2 of the 4 conversations that had it")
    assert ended_all.sentences[-1].startswith("The 4 conversations that had it")
