"""Simulated ramps go as the gates and the controller decide."""

from decimal import Decimal

import pytest

from flags.simulation import ramps, world
from flags.simulation.ramps import simulate
from flags.situation import Move, State
from tests.flags.simulation.short import DAY
from tests.flags.simulation.short import world as met


def test_a_feature_that_keeps_its_word_is_given_to_all() -> None:
    ramp = simulate(DAY, met(), seed=1)

    assert ramp.ended is State.COMPLETED, ramp.steps[-1]
    assert [(s.move, s.percent) for s in ramp.steps if s.move is not Move.NONE][-1] == (
        Move.COMPLETE,
        Decimal(100),
    )
    assert all(seconds is not None for seconds in ramp.phase_s)
    assert sum(s for s in ramp.phase_s if s) == ramp.seconds >= 24 * 3600
    assert (ramp.fault_s, ramp.found_s, ramp.exposed_count) == (None, None, 0)


def test_the_same_seed_makes_the_same_ramp() -> None:
    one, same, other = (simulate(DAY, met(), seed=seed) for seed in (5, 5, 6))

    assert one == same
    assert one.treated_count != other.treated_count


def test_a_tenfold_jump_is_taken_back_where_it_begins() -> None:
    ramp = simulate(DAY, met("errors=x10@50"), seed=1)

    assert ramp.ended is State.ROLLING_BACK
    assert ramp.steps[-1].percent == 0
    assert ramp.fault_s is not None
    assert ramp.fault_s >= 8 * 3600
    assert ramp.found_s is not None
    assert ramp.found_s < 2 * 3600
    assert 0 < ramp.failed_count < ramp.exposed_count < ramp.treated_count


def test_harm_to_everybody_begins_below_the_holdback() -> None:
    ramp = simulate(DAY, met("errors=x10@100"), seed=2)

    assert ramp.ended is State.ROLLING_BACK
    assert ramp.fault_s is not None
    assert ramp.fault_s >= 16 * 3600


@pytest.mark.parametrize("harm", ["latency=x4@10", "tokens=x12@10"])
def test_slow_or_costly_answers_halve_or_pause_it(harm: str) -> None:
    ramp = simulate(DAY, met(harm), seed=1)

    assert ramp.ended is State.PAUSED
    assert ramp.has(Move.HALVE, Move.PAUSE)
    assert not ramp.has(Move.ROLL_BACK)


def test_without_traffic_it_waits_until_its_extension_is_over() -> None:
    ramp = simulate(DAY, met(per_hour=0.01), seed=1)

    assert ramp.ended is State.RAMPING
    assert ramp.phase_s == (None, None, None)
    assert [step.move for step in ramp.steps] == [Move.BEGIN]


def test_ticks_that_are_left_out_would_have_changed_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worlds = [met(), met("errors=x4@10"), met("latency=x3@50")]
    short = [simulate(DAY, each, seed=3) for each in worlds]

    monkeypatch.setattr(ramps._Run, "_is_quiet", lambda _: False)
    full = [simulate(DAY, each, seed=3) for each in worlds]

    assert [_course(ramp) for ramp in short] == [_course(ramp) for ramp in full]
    assert [r.treated_count for r in short] == [r.treated_count for r in full]


def _course(ramp: ramps.Ramp) -> list[tuple[float, Decimal]]:
    return [(step.at_s, step.percent) for step in ramp.steps if step.percent]


@pytest.mark.parametrize("text", ["errors", "errors=10@1", "luck=x2@1", "errors=x0@1"])
def test_harm_that_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="errors=x10@10"):
        world.Fault.of(text)
