"""Whole ramps on drawn traffic: harm is found in time, and health is left alone.

2,000 messages an hour, each its own unit, of which 0.5 % fail when all is well.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from flags.evidence import harm
from flags.evidence.fisher import Counts
from flags.evidence.harm import Budget, Design

ALARM = 100.0  # α = 1 %
HEALTHY = 0.005
AN_HOUR = 2_000
NEVER = 10**9
# The guide's ramp, with a holdback of 5 % at the end: share of treatment, hours.
RAMP = ((0.01, 24), (0.1, 48), (0.25, 24), (0.5, 24), (0.75, 24), (0.95, 72))


def _design(window_s: int) -> Design:
    hours = sum(hours for _, hours in RAMP)
    windows = hours * 3600 // window_s
    return Design(budget=Budget(planned_windows=windows, planned_starts=len(RAMP)))


def _traffic(
    dice: np.random.Generator,
    *,
    share: float,
    window_s: int,
    healthy: np.ndarray,
    ratio: float,
) -> Iterator[Counts]:
    """Draw a window for each healthy rate; treatment fails `ratio` times as often."""
    messages = AN_HOUR * window_s / 3600
    ours = dice.poisson(messages * share, len(healthy))
    theirs = dice.poisson(messages * (1 - share), len(healthy))
    ours_failed = dice.binomial(ours, np.minimum(1, healthy * ratio))
    theirs_failed = dice.binomial(theirs, healthy)
    rows = zip(ours, ours_failed, theirs, theirs_failed, strict=True)
    for treatment, treatment_failed, control, control_failed in rows:
        yield Counts(
            treatment_count=int(treatment),
            treatment_failed=int(treatment_failed),
            control_count=int(control),
            control_failed=int(control_failed),
        )


def _until_alarm(windows: Iterator[Counts], design: Design) -> tuple[int, int]:
    """Return treatment's messages, and the failed ones, until harm is found."""
    state, seen, failed = harm.begin(design), 0, 0
    for number, counts in enumerate(windows):
        state = harm.step(state, counts, design=design, starts_phase=number == 0)
        seen += counts.treatment_count
        failed += counts.treatment_failed
        if state.evidence >= ALARM:
            return seen, failed
    return NEVER, NEVER


def _p90(
    *, share: float, ratio: float, window_s: int, hours: int, runs: int
) -> tuple[int, int]:
    dice = np.random.default_rng(20)
    design = _design(window_s)
    healthy = np.full(hours * 3600 // window_s, HEALTHY)
    found = [
        _until_alarm(
            _traffic(
                dice, share=share, window_s=window_s, healthy=healthy, ratio=ratio
            ),
            design,
        )
        for _ in range(runs)
    ]
    seen, failed = np.percentile(found, 90, axis=0, method="higher")
    return int(seen), int(failed)


def _peak(
    dice: np.random.Generator, *, ratio: float = 1.0, has_outages: bool = False
) -> float:
    """Return the most evidence of harm in one ramp of nine days, in 5-minute windows.

    Outages: the provider fails 30 % of both arms for a quarter of an hour, every day.
    """
    design = _design(300)
    state = harm.begin(design)
    for share, hours in RAMP:
        healthy = np.full(hours * 12, HEALTHY)
        if has_outages:
            for day in range(0, len(healthy), 288):
                begin = day + int(dice.integers(0, 280))
                healthy[begin : begin + 3] = 0.3
        windows = _traffic(
            dice, share=share, window_s=300, healthy=healthy, ratio=ratio
        )
        for number, counts in enumerate(windows):
            state = harm.step(state, counts, design=design, starts_phase=number == 0)
    return state.peak


@pytest.mark.parametrize(("share", "goal"), [(0.01, 260), (0.1, 310), (0.5, 700)])
def test_a_tenfold_jump_is_found_within_the_goal(share: float, goal: int) -> None:
    seen, _ = _p90(share=share, ratio=10, window_s=300, hours=48, runs=600)

    assert seen <= goal


@pytest.mark.parametrize(
    ("share", "goal"), [(0.01, 8), (0.1, 12), (0.25, 18), (0.5, 32)]
)
def test_gross_failure_is_found_within_a_few_failed_messages(
    share: float, goal: int
) -> None:
    _, failed = _p90(share=share, ratio=100, window_s=30, hours=3, runs=300)

    assert failed <= goal


@pytest.mark.parametrize("has_outages", [False, True], ids=["calm", "outages"])
def test_a_healthy_ramp_is_left_alone(has_outages: bool) -> None:
    dice = np.random.default_rng(21)

    peaks = [_peak(dice, has_outages=has_outages) for _ in range(60)]

    assert sum(peak >= ALARM for peak in peaks) <= 1


def test_a_small_harm_within_the_margin_is_left_alone() -> None:
    dice = np.random.default_rng(22)

    peaks = [_peak(dice, ratio=1.1) for _ in range(30)]

    assert max(peaks) < ALARM


def test_a_doubling_is_found_within_the_ramp() -> None:
    dice = np.random.default_rng(23)

    peaks = [_peak(dice, ratio=2) for _ in range(10)]

    assert min(peaks) >= ALARM
