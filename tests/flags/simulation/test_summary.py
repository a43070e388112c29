"""What many ramps come to, and what they can't say."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from flags.simulation import many, plot
from flags.simulation.ramps import Ramp, Step
from flags.simulation.summary import Estimate, summary
from flags.situation import Move, State
from tests.flags.simulation.short import DAY, world

DAY_S = 86_400.0
GOOD = Ramp(
    steps=(),
    ended=State.COMPLETED,
    seconds=3 * DAY_S,
    phase_s=(DAY_S, DAY_S, DAY_S),
    treated_count=100,
)
BACK = replace(
    GOOD,
    steps=(Step(1.5 * DAY_S, Move.ROLL_BACK, DAY.phases[0].percent, 1, "Back."),),
    ended=State.ROLLING_BACK,
    seconds=1.5 * DAY_S,
    phase_s=(DAY_S, None, None),
)


def test_false_alarms_are_a_share_with_its_uncertainty() -> None:
    found = summary([GOOD, GOOD, GOOD, BACK], plan=DAY, world=world())

    assert found["false_rollback_probability"] == 0.25
    low, high = found["false_rollback_probability_interval"]
    assert (low, high) == (pytest.approx(0.0456, abs=1e-3), pytest.approx(0.699, 1e-2))
    assert found["false_halving_probability"] == 0
    assert found["completed_probability"] == 0.75
    assert found["days_per_phase"] == [1, 1, 1]
    assert found["days_to_completion"] == 3
    assert all(factor > 1 for factor in found["detectable_effect"])


def test_what_was_not_seen_is_not_known() -> None:
    found = summary([BACK], plan=DAY, world=world())

    assert found["days_per_phase"] == [1, None, None]
    assert found["days_to_completion"] is None
    assert found["found_probability"] is None
    assert found["conversations_until_found"] is None


def test_where_the_feature_does_harm_no_alarm_is_false() -> None:
    met = replace(BACK, fault_s=DAY_S, exposed_count=40, failed_count=6)

    found = summary([met, GOOD], plan=DAY, world=world("errors=x10@50"))

    assert found["false_rollback_probability"] is None
    assert found["false_halving_probability"] is None
    assert found["found_probability"] == 1  # the other was over before
    assert found["hours_until_found"] == {"median": 12, "p90": 12}
    assert found["failed_until_found"] == {"median": 6, "p90": 6}


@pytest.mark.parametrize(
    ("count", "of", "interval"), [(0, 40, (0, 0.0876)), (40, 40, (0.9124, 1))]
)
def test_none_of_forty_is_not_never(
    count: int, of: int, interval: tuple[float, float]
) -> None:
    assert Estimate(count, of).interval == pytest.approx(interval, abs=1e-4)


def test_ramps_come_in_the_order_of_their_seeds_on_all_processors() -> None:
    heard: list[tuple[int, int]] = []

    alone = many.simulated(DAY, world(), seeds=[3, 4], processes=1)
    together = many.simulated(
        DAY,
        world(),
        seeds=[3, 4],
        processes=2,
        progress=lambda done, of: heard.append((done, of)),
    )

    assert alone == together
    assert heard == [(0, 2), (1, 2), (2, 2)]


def test_the_plot_says_in_words_what_it_shows() -> None:
    drawn = plot.svg([GOOD, GOOD, BACK], title="day 1: 3 <simulated> ramps")

    root = ElementTree.fromstring(drawn)
    texts = [each.text for each in root.iter() if each.text and each.text.strip()]
    assert "day 1: 3 <simulated> ramps" in texts
    assert any("2 of 3 ramps complete (green), 1 rolled back" in t for t in texts)
