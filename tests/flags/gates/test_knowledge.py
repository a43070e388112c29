"""What gates know survives a database, to the last bit."""

import json
from datetime import UTC, datetime, timedelta

from flags import plans
from flags.gates import floors, harms, learning, success
from flags.gates.knowledge import Knowledge, Sighting
from tests.flags.gates.arms import arm, spread, window

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def _knowledge() -> Knowledge:
    windows = [window((20, k % 3), (170, 2), percent="10.5") for k in range(9)]
    knowledge = learning.of(windows, plans.GUIDE)
    seen = Sighting(at=NOON, health="healthy", memory_percent=61.3)
    knowledge = floors.see(knowledge, seen)
    knowledge = floors.see(knowledge, Sighting(at=NOON + timedelta(seconds=30)))
    return success.judge(
        knowledge,
        plans.GUIDE,
        success.Facts(
            phase_index=1,
            elapsed_s=43_200,
            treatment=arm(400, 1, log_tokens=spread(400, 6.1)),
            control=arm(3600, 9, log_tokens=spread(3600, 6.9)),
            since=NOON,
        ),
        look=0,
    )


def test_nothing_is_known_of_nothing() -> None:
    assert Knowledge.from_json({}) == Knowledge()
    assert Knowledge.from_json(Knowledge().as_json()) == Knowledge()


def test_it_is_the_same_from_json() -> None:
    knowledge = _knowledge()

    kept = json.loads(json.dumps(knowledge.as_json(), allow_nan=False))

    assert Knowledge.from_json(kept) == knowledge
    assert knowledge.judged is not None
    assert knowledge.judged.looks


def test_a_tick_goes_on_from_what_was_kept() -> None:
    knowledge = _knowledge()
    kept = Knowledge.from_json(json.loads(json.dumps(knowledge.as_json())))
    another = window((30, 3), (150, 1), percent="10.5")

    assert learning.step(kept, plans.GUIDE, another) == learning.step(
        knowledge, plans.GUIDE, another
    )
    assert harms.readings(kept, plans.GUIDE) == harms.readings(knowledge, plans.GUIDE)


def test_what_was_learnt_of_one_phase_is_not_told_of_another() -> None:
    knowledge = _knowledge()

    assert knowledge.units_in(1) == 180
    assert knowledge.units_in(2) == 0
    assert knowledge.judged_in(1, NOON).readings
    assert knowledge.judged_in(2, NOON).readings == ()
