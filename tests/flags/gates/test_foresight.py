"""What a phase will be able to see, held against ramps that were measured."""

from dataclasses import replace
from decimal import Decimal

import pytest

from flags.gates import foresight
from flags.plans import GUIDE, HOUR_S, Plan


def _lasting(hours: float, phase_index: int) -> Plan:
    phases = list(GUIDE.phases)
    phases[phase_index] = replace(phases[phase_index], dwell_s=round(hours * HOUR_S))
    return replace(GUIDE, phases=tuple(phases))


# Treatment conversations that nine of ten simulated ramps needed for such a jump from
# 0.5 %, one α of 1 % for errors alone.
@pytest.mark.parametrize(
    ("phase_index", "share", "factor", "units"),
    [
        (0, 0.01, 10, 236),
        (1, 0.1, 2, 8144),
        (1, 0.1, 3, 2622),
        (1, 0.1, 4, 1340),
        (1, 0.1, 6, 660),
        (1, 0.1, 10, 280),
        (1, 0.1, 20, 120),
        (1, 0.1, 50, 40),
        (3, 0.5, 4, 2781),
        (3, 0.5, 10, 639),
    ],
)
def test_it_agrees_with_ramps_that_were_simulated(
    phase_index: int, share: float, factor: float, units: int
) -> None:
    plan = _lasting(1, phase_index)
    needed = {
        more: foresight.detectable(
            plan,
            phase_index,
            conversations_per_hour=units * more / share,
            base_error_ratio=0.005,
        )
        for more in (0.9, 1.25)
    }

    assert (needed[0.9] or 999) > factor * 0.99
    assert needed[1.25] is not None
    assert needed[1.25] < factor * 1.01


@pytest.mark.parametrize(
    ("rate", "ratio"), [(2, 0.005), (0, 0.005), (2000, 0), (2000, 1)]
)
def test_what_no_jump_could_show_is_not_promised(rate: float, ratio: float) -> None:
    found = foresight.detectable(
        GUIDE, 0, conversations_per_hour=rate, base_error_ratio=ratio
    )

    assert found is None


def test_where_everybody_gets_it_nothing_can_be_compared() -> None:
    plan = replace(GUIDE, holdback_percent=Decimal(0))

    found = foresight.detectable(
        plan, 5, conversations_per_hour=2000, base_error_ratio=0.005
    )

    assert found is None


def test_no_traffic_shows_what_is_not_looked_for() -> None:
    found = foresight.detectable(
        GUIDE, 2, conversations_per_hour=1e9, base_error_ratio=0.005
    )

    assert found == 1.5


@pytest.mark.parametrize(
    ("rate", "end"),
    [
        (2000, "phase 1 sees errors become 6.7 times as many, and not fewer."),
        (200, "phase 1 sees errors become 30 times as many, and not fewer."),
        (2, "phase 1 can't see any jump of errors before it is over."),
    ],
)
def test_it_says_so_to_who_makes_a_plan(rate: float, end: str) -> None:
    words = foresight.sentence(
        GUIDE, 0, conversations_per_hour=rate, base_error_ratio=0.005
    )

    assert words == (f"At {rate:,} conversations an hour, of which 0.5 % fail, {end}")
