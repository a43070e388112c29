"""Whatever a rollout's controller is shown, some things it never does."""

import random
from datetime import timedelta
from decimal import Decimal

from flags import controller
from flags.plans import Action
from flags.readings import Kind, Reading, Verdict
from flags.situation import Move, Situation, State
from tests.flags.situations import NOW, done, passed, reading


def test_whatever_is_known_no_tick_skips_a_phase_or_widens_without_success() -> None:
    dice = random.Random(20261126)

    for _ in range(5000):
        now = _anything(dice)
        outcome = controller.decide(now)
        firing_actions = {
            each.action
            for each in now.readings
            if each.kind in {Kind.FLOOR, Kind.HARM} and each.is_firing
        }

        assert outcome.phase_index <= now.phase_index + 1
        if outcome.percent > now.percent:
            assert outcome.move in {Move.BEGIN, Move.ADVANCE, Move.COMPLETE}
            assert not firing_actions - {Action.LIMIT_SESSIONS}
        if Action.ROLL_BACK in firing_actions and now.state is not State.ROLLED_BACK:
            assert outcome.percent == 0 or not now.is_exposed


def _anything(dice: random.Random) -> Situation:
    state = dice.choice(list(State))
    readings = [*passed(1)] if dice.random() < 0.5 else []
    readings += [_any_reading(dice) for _ in range(dice.randrange(3))]
    return done(
        state=state,
        readings=readings,
        unit_count=dice.choice([0, 1400]),
        holds=dice.choice([[], [], ["wait"]]),
        is_caught_up=dice.random() < 0.8,
        halved_at=dice.choice([None, NOW - timedelta(minutes=5)]),
        persistent_count=dice.choice([None, 0, 2]),
        flag_percent=dice.choice([Decimal(0), Decimal(10)]),
    )


def _any_reading(dice: random.Random) -> Reading:
    return reading(
        "any",
        dice.choice(list(Kind)),
        dice.choice(list(Verdict)),
        action=dice.choice(list(Action)),
    )
