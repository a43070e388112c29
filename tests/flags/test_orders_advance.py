"""The next phase before its time: what may be overridden, and what never."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from flags import decisions, gathering, orders, rollouts
from flags.errors import InvalidValue, RolloutRefused
from flags.gathering import Found
from flags.models import Rollout
from flags.plans import Action, Success
from flags.readings import Kind, Reading, Verdict
from flags.situation import State
from monitoring import health
from tests.chat import stored
from tests.chat.observed import NOON
from tests.flags import ramping
from tests.flags.ordering import BOBS, LATER, NEEDY, WHY, last, placed
from tests.flags.ramping import People
from tests.flags.situations import firing, reading

pytestmark = pytest.mark.django_db
FOUR = NOON + timedelta(minutes=4)
_GATED = replace(
    ramping.SHORT,
    name="gated",
    phases=(
        replace(
            ramping.SHORT.phases[0],
            unit_count=100_000,
            success=(
                Success(key="few", metric="error_ratio", threshold=0.1, is_above=False),
            ),
        ),
        *ramping.SHORT.phases[1:],
    ),
)


def _judged(monkeypatch: pytest.MonkeyPatch, *readings: Reading) -> None:
    """Let the gates say this, whatever there is."""
    gather = gathering.gather

    def gathered(rollout: Rollout, now: Any) -> Found:
        found = gather(rollout, now)
        return replace(found, situation=replace(found.situation, readings=readings))

    monkeypatch.setattr(gathering, "gather", gathered)


def test_it_skips_the_time_that_is_left() -> None:
    rollout = ramping.started()
    ramping.pass_time(People(), minutes=4)

    shown = orders.preview("advance", rollout, WHY, now=FOUR)
    answer = orders.advance(rollout, WHY, now=FOUR, seen_version=shown.version)

    assert (
        shown.sentences[0]
        == "20\N{NO-BREAK SPACE}% → 50\N{NO-BREAK SPACE}% of conversations."
    )
    assert "more of the" in shown.sentences[1]
    assert "stay as they are" in shown.sentences[2]
    assert answer.sentence == "alice began phase 2: 20 → 50 %. Because."
    assert gathering.flag_percent() == 50
    rollout.refresh_from_db()
    assert (rollout.state, rollout.phase_index) == (State.RAMPING, 1)
    assert rollout.phase_since == FOUR


def test_a_repetition_begins_no_second_phase() -> None:
    rollout = ramping.started()
    ramping.pass_time(People(), minutes=4)
    orders.advance(rollout, WHY, now=FOUR)

    soon = FOUR + timedelta(seconds=10)
    again = orders.advance(rollout, WHY, now=soon, overriding=["information"])
    named = orders.advance(rollout, WHY, now=soon + timedelta(hours=1), to_phase=2)

    assert not again.is_new
    assert "Phase 2 began 10 s ago" in again.sentence
    assert named.sentence == "Phase 2 has begun already."
    with pytest.raises(RolloutRefused, match="next is phase 3"):
        orders.advance(rollout, WHY, now=soon, to_phase=4)


def test_what_is_not_shown_stands_in_the_way_unless_it_is_named() -> None:
    rollout = ramping.started(_GATED)
    ramping.pass_time(People(), minutes=1)
    now = NOON + timedelta(minutes=3)
    Rollout.objects.update(counted_until=now)

    with pytest.raises(RolloutRefused) as refused:
        orders.advance(rollout, WHY, now=now)
    with pytest.raises(RolloutRefused):
        orders.advance(rollout, WHY, now=now, overriding=["few"])
    with pytest.raises(InvalidValue, match=r"overridden: .*information, few"):
        orders.advance(rollout, WHY, now=now, overriding=["fwe"])
    keys = [
        each.key for each in orders.preview("advance", rollout, WHY, now=now).obstacles
    ]
    answer = orders.advance(rollout, WHY, now=now, overriding=keys)

    assert "needs 100,000 treatment conversations" in str(refused.value)
    assert "override: " in str(refused.value)
    assert "although not shown: " in answer.sentence
    assert {"information", "few"} <= set(last(rollout).inputs["overridden"])
    assert last(rollout).readings
    assert list(decisions.verify(rollout)) == []


@pytest.mark.parametrize("kind", [Kind.HARM, Kind.FLOOR])
@pytest.mark.parametrize("action", Action)
def test_nobody_overrides_harm(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, action: Action
) -> None:
    rollout = placed(State.RAMPING)
    _judged(monkeypatch, firing(action, kind))

    with pytest.raises(RolloutRefused, match="errors says so"):
        orders.advance(rollout, WHY, now=LATER)
    with pytest.raises(RolloutRefused, match="Nobody may override errors"):
        orders.advance(rollout, WHY, now=LATER, overriding=["errors"])
    assert gathering.flag_percent() == 20


def test_nobody_overrides_a_hold_or_windows_that_nobody_counts() -> None:
    rollout = placed(State.RAMPING)
    Rollout.objects.update(counted_until=NOON)

    with pytest.raises(RolloutRefused, match="does the worker run"):
        orders.advance(rollout, WHY, now=LATER, overriding=["windows"])
    Rollout.objects.update(counted_until=LATER)
    orders.hold(rollout, BOBS, now=LATER)
    with pytest.raises(RolloutRefused, match="Held by bob: As we said"):
        orders.advance(rollout, WHY, now=LATER, overriding=["information"])


def test_a_phase_that_needs_a_second_person_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = placed(State.RAMPING, NEEDY)
    _judged(monkeypatch)
    need: dict[str, Any] = {"overriding": ["information"], "now": LATER}

    with pytest.raises(RolloutRefused, match="approval of a second person"):
        orders.advance(rollout, WHY, **need)
    orders.request_approval(rollout, WHY, now=LATER)
    orders.approve(rollout, BOBS, now=LATER)

    assert orders.advance(rollout, WHY, **need).is_new


def test_an_armed_one_begins_before_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = placed(State.ARMED, starts_at=LATER + timedelta(days=1))
    _judged(monkeypatch)

    orders.advance(rollout, WHY, now=LATER)

    assert gathering.flag_percent() == 20


def test_after_a_halving_it_goes_back_to_its_phase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = placed(State.RAMPING)
    _judged(monkeypatch)
    orders.halve(rollout, WHY, now=LATER)

    orders.advance(rollout, WHY, now=LATER, overriding=["information"])

    rollout.refresh_from_db()
    assert (rollout.phase_index, rollout.percent) == (0, Decimal(20))


def test_the_last_phase_ends_with_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = placed(State.RAMPING, phase_index=2, percent=Decimal(95))
    stored.put(GRADUAL_ROLLOUT_PERCENTAGE=Decimal(95))
    _judged(monkeypatch, reading("few", Kind.SUCCESS, Verdict.NOT_YET))

    answer = orders.advance(rollout, WHY, now=LATER, overriding=["few", "information"])

    rollout.refresh_from_db()
    assert rollout.state == State.COMPLETED
    assert gathering.flag_percent() == 100
    assert "alice completed it: 95 → 100 %" in answer.sentence


@pytest.mark.parametrize("kind", [Kind.HARM, Kind.FLOOR])
@pytest.mark.parametrize("is_held_by_somebody", [True, False])
@pytest.mark.parametrize(
    "state", [State.RAMPING, State.HELD, State.PAUSED, State.COMPLETED]
)
def test_harm_rolls_back_in_every_exposed_state(
    monkeypatch: pytest.MonkeyPatch,
    state: State,
    kind: Kind,
    *,
    is_held_by_somebody: bool,
) -> None:
    rollout = placed(state)
    if is_held_by_somebody:
        rollout.holds.create(reason="Wait.", created_by="bob")
    gather = gathering.gather

    def harmed(rollout: Rollout, now: Any) -> Found:
        found = gather(rollout, now)
        harm = firing(Action.ROLL_BACK, kind)
        return replace(found, situation=replace(found.situation, readings=[harm]))

    monkeypatch.setattr(gathering, "gather", harmed)
    decision = rollouts.tick(LATER)

    rollout.refresh_from_db()
    assert decision is not None
    assert decision.action == "roll_back"
    assert rollout.state == State.ROLLING_BACK
    assert gathering.flag_percent() == 0


def test_a_service_that_is_ill_rolls_back_while_it_is_paused_by_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = ramping.started()
    people = People()
    ramping.pass_time(people, minutes=3)
    orders.pause(rollout, WHY, now=NOON + timedelta(minutes=3))
    report = health.report() | {"status": "unhealthy"}
    monkeypatch.setattr(health, "report", lambda: report)

    made = ramping.pass_time(people, minutes=2, since=NOON + timedelta(minutes=3))

    assert ramping.moves(made)[0] == ("roll_back", Decimal(0))


def test_nobody_begins_what_a_kill_has_ended_although_that_is_not_recorded_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = placed(State.ARMED)

    def broken(*_: object, **__: object) -> Rollout:
        raise LookupError("The row can't be written.")

    with monkeypatch.context() as patched:
        patched.setattr("flags.decisions.append", broken)
        orders.kill(WHY, now=LATER)

    with pytest.raises(RolloutRefused, match="alice switched the flag off"):
        orders.advance(rollout, WHY, now=LATER)
