"""What people do with a rollout, in each of its states."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from flags import decisions, gathering, orders, runtime
from flags.conf import PERCENT, USE
from flags.errors import ReasonMissing, RolloutRefused
from flags.intents.scene import POSSIBLE
from flags.models import Decision, Rollout
from flags.rollouts import Order
from flags.situation import State
from monitoring.models import Alert
from tests.chat import stored
from tests.chat.observed import NOON
from tests.flags.ordering import BOBS, LATER, WHY, last, placed
from tests.flags.ramping import ALICE

pytestmark = pytest.mark.django_db

ALREADY, REFUSED = "already", "refused"
# What becomes of the state, verb by verb.
TABLE = {
    "pause": {
        State.ARMED: State.PAUSED,
        State.RAMPING: State.PAUSED,
        State.HELD: State.PAUSED,
        State.PAUSED: ALREADY,
        State.ROLLING_BACK: REFUSED,
        State.ROLLED_BACK: REFUSED,
        State.COMPLETED: REFUSED,
    },
    "resume": {
        State.ARMED: ALREADY,
        State.RAMPING: ALREADY,
        State.HELD: ALREADY,
        State.PAUSED: State.RAMPING,
        State.ROLLING_BACK: REFUSED,
        State.ROLLED_BACK: REFUSED,
        State.COMPLETED: REFUSED,
    },
    "hold": {
        State.ARMED: State.ARMED,
        State.RAMPING: State.HELD,
        State.HELD: State.HELD,
        State.PAUSED: State.PAUSED,
        State.ROLLING_BACK: REFUSED,
        State.ROLLED_BACK: REFUSED,
        State.COMPLETED: REFUSED,
    },
    "release": dict.fromkeys(State, ALREADY),
    "halve": {
        State.ARMED: REFUSED,
        State.RAMPING: State.HELD,
        State.HELD: State.HELD,
        State.PAUSED: State.PAUSED,
        State.ROLLING_BACK: REFUSED,
        State.ROLLED_BACK: REFUSED,
        State.COMPLETED: State.HELD,
    },
    "roll_back": {
        State.ARMED: State.ROLLING_BACK,
        State.RAMPING: State.ROLLING_BACK,
        State.HELD: State.ROLLING_BACK,
        State.PAUSED: State.ROLLING_BACK,
        State.ROLLING_BACK: ALREADY,
        State.ROLLED_BACK: ALREADY,
        State.COMPLETED: State.ROLLING_BACK,
    },
}
_CASES = [
    (verb, state, expected)
    for verb, row in TABLE.items()
    for state, expected in row.items()
]


@pytest.mark.parametrize(("verb", "state", "expected"), _CASES)
def test_each_verb_in_each_state(verb: str, state: State, expected: str) -> None:
    rollout = placed(state)
    if expected == REFUSED:
        with pytest.raises(RolloutRefused, match="Possible: ") as refused:
            orders.give(verb, rollout, WHY, now=LATER)
        assert ", ".join(POSSIBLE[state]) in str(refused.value)
        assert not Decision.objects.exists()
        return

    answer = orders.give(verb, rollout, WHY, now=LATER)

    rollout.refresh_from_db()
    assert answer.is_new == (expected != ALREADY)
    assert rollout.state == (state if expected == ALREADY else expected)
    assert Decision.objects.count() == answer.is_new
    assert rollout.percent == gathering.flag_percent()


@pytest.mark.parametrize(
    ("verb", "state"),
    [(verb, state) for verb, state, e in _CASES if e not in {ALREADY, REFUSED}],
)
def test_to_repeat_one_changes_nothing_and_says_so(verb: str, state: State) -> None:
    rollout = placed(state)
    first = orders.give(verb, rollout, WHY, now=LATER)
    version = Rollout.objects.get().version

    second = orders.give(verb, rollout, WHY, now=LATER + timedelta(seconds=20))

    assert not second.is_new
    assert second.decision == first.decision
    assert "already" in second.sentence or "just now" in second.sentence
    assert Rollout.objects.get().version == version
    assert Rollout.objects.get().holds.count() == (verb == "hold")


def test_what_can_not_be_recorded_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Decision:
        raise LookupError("The decision can't be written.")

    monkeypatch.setattr(decisions, "append", broken)
    with pytest.raises(LookupError):
        orders.halve(placed(State.RAMPING), WHY, now=LATER)

    assert gathering.flag_percent() == Rollout.objects.get().percent == 20


def test_a_rollback_leaves_no_percent_that_switching_on_would_give() -> None:
    orders.roll_back(placed(State.RAMPING), WHY, now=LATER)

    held = runtime.current()
    assert (held[USE.name], held[PERCENT.name]) == (False, 0)


@pytest.mark.parametrize(
    ("verb", "state"), [(verb, state) for verb, state, e in _CASES if e != REFUSED]
)
def test_a_preview_tells_the_outcome_and_changes_nothing(
    verb: str, state: State
) -> None:
    rollout = placed(state)

    shown = orders.preview(verb, rollout, WHY, now=LATER)
    answer = orders.give(verb, rollout, WHY, now=LATER, seen_version=shown.version)

    assert bool(shown.already) is not answer.is_new
    if answer.is_new:
        assert answer.decision is not None
        assert shown.outcome.percent == answer.decision.percent_after
        assert shown.outcome.sentence == answer.sentence
        assert shown.sentences


def test_who_why_and_by_which_way_is_in_the_chain() -> None:
    rollout = placed(State.RAMPING)

    orders.pause(rollout, WHY, now=LATER)
    orders.resume(rollout, BOBS, now=LATER)

    one, other = Decision.objects.order_by("number")
    assert (one.actor, one.channel, one.reason) == ("alice", "command", "Because.")
    assert (other.actor, other.channel) == ("bob", "admin")
    assert other.sentence == "bob resumed it: As we said."
    assert list(decisions.verify(rollout)) == []


@pytest.mark.parametrize("verb", [*TABLE, "advance", "request_approval"])
def test_every_verb_needs_a_reason(verb: str) -> None:
    rollout = placed(State.RAMPING)

    with pytest.raises(ReasonMissing):
        orders.give(verb, rollout, Order(actor=ALICE, reason=" "), now=LATER)


def test_halving_halves_again_only_when_that_is_asked_for() -> None:
    rollout = placed(State.RAMPING)

    orders.halve(rollout, WHY, now=LATER)
    again = orders.halve(rollout, WHY, now=LATER, is_again=True)

    assert again.is_new
    assert gathering.flag_percent() == 5
    assert last(rollout).sentence == "alice halved it from 10 to 5 %: Because."


def test_half_of_next_to_nothing_is_refused() -> None:
    rollout = placed(State.RAMPING, percent=Decimal("0.01"))
    stored.put(**{PERCENT.name: Decimal("0.01")})

    with pytest.raises(RolloutRefused, match=r"Half of 0\.01 % is nothing"):
        orders.halve(rollout, WHY, now=LATER)


def test_a_pause_by_a_person_puts_off_no_halving_by_a_gate() -> None:
    rollout = placed(State.RAMPING)

    orders.pause(rollout, WHY, now=LATER)

    rollout.refresh_from_db()
    assert rollout.halved_at is None


@pytest.mark.parametrize(("given", "after", "since"), [(5, 5, LATER), (60, 20, NOON)])
def test_resuming_takes_the_lower_percent_and_then_begins_the_phase_again(
    given: int, after: int, since: datetime
) -> None:
    rollout = placed(State.PAUSED)
    stored.put(**{PERCENT.name: Decimal(given)})

    orders.resume(rollout, WHY, now=LATER)

    rollout.refresh_from_db()
    assert {rollout.percent, gathering.flag_percent()} == {Decimal(after)}
    assert rollout.phase_since == since


def test_what_was_switched_off_is_not_resumed() -> None:
    rollout = placed(State.PAUSED)
    stored.put(**{USE.name: False})

    with pytest.raises(RolloutRefused, match="switched off"):
        orders.resume(rollout, WHY, now=LATER)


def test_one_that_has_not_begun_waits_again_after_its_pause() -> None:
    rollout = placed(State.ARMED)

    orders.pause(rollout, WHY, now=LATER)
    orders.resume(rollout, WHY, now=LATER)

    rollout.refresh_from_db()
    assert rollout.state == State.ARMED


def test_one_that_is_over_takes_no_orders() -> None:
    old = placed(State.COMPLETED)
    stored.put(**{USE.name: False})
    Rollout.objects.create(flag=old.flag, plan=old.plan, started_by="bob")

    with pytest.raises(RolloutRefused, match="came after it"):
        orders.roll_back(old, WHY, now=LATER)


def test_what_people_do_is_told_without_an_alarm() -> None:
    rollout = placed(State.RAMPING)

    orders.pause(rollout, WHY, now=LATER)
    assert not Alert.objects.exists()
    orders.roll_back(rollout, WHY, now=LATER)

    [alert] = Alert.objects.all()
    assert alert.severity == "critical"
