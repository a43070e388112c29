"""Orders of who decided by what is no longer so."""

from decimal import Decimal

import pytest

from flags import acting, gathering, orders
from flags.decisions import Grounds
from flags.errors import Conflict
from flags.models import Decision, Rollout
from flags.rollouts import AUTOMATION
from flags.situation import Move, Outcome, State
from tests.flags.ordering import BOBS, LATER, WHY, last, placed

pytestmark = pytest.mark.django_db


def _tick(rollout: Rollout, move: Move, state: State) -> None:
    outcome = Outcome(
        move=move, state=state, percent=Decimal(20), phase_index=0, sentence="So it is."
    )
    acting.carry_out(rollout, outcome, at=LATER, grounds=Grounds(actor=AUTOMATION))


@pytest.mark.parametrize("verb", ["resume", "advance", "release", "approve"])
def test_who_looked_before_others_acted_and_wants_more_is_told(verb: str) -> None:
    rollout = placed(State.RAMPING)
    seen = rollout.version
    orders.pause(rollout, WHY, now=LATER)

    with pytest.raises(Conflict, match="alice paused it: Because"):
        orders.give(verb, rollout, BOBS, now=LATER, seen_version=seen)

    assert rollout.decisions.count() == 1


@pytest.mark.parametrize(
    ("verb", "percent"), [("pause", 20), ("hold", 20), ("halve", 10), ("roll_back", 0)]
)
def test_no_news_keeps_anybody_from_giving_it_to_no_more(
    verb: str, percent: int
) -> None:
    rollout = placed(State.RAMPING)
    seen = rollout.version
    _tick(rollout, Move.HOLD, State.HELD)

    orders.preview(verb, rollout, WHY, now=LATER, seen_version=seen)
    answer = orders.give(verb, rollout, WHY, now=LATER, seen_version=seen)

    assert answer.is_new
    assert gathering.flag_percent() == percent


def test_a_rollback_says_from_which_percent() -> None:
    rollout = placed(State.RAMPING)

    orders.roll_back(rollout, WHY, now=LATER)

    assert last(rollout).sentence == "alice rolled it back from 20 to 0 %: Because."


def test_a_tick_that_changed_nothing_is_no_conflict() -> None:
    rollout = placed(State.PAUSED)
    seen = rollout.version
    _tick(rollout, Move.NONE, State.PAUSED)

    assert orders.resume(rollout, WHY, now=LATER, seen_version=seen).is_new


def test_a_tick_in_between_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = placed(State.RAMPING)
    carry_out = acting.carry_out
    left = [None, None]

    def overtaken(*args: object, **given: object) -> Decision | None:
        return left.pop() if left else carry_out(*args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(acting, "carry_out", overtaken)

    assert orders.pause(rollout, WHY, now=LATER).is_new
    assert left == []
