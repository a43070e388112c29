"""Means of two arms are compared, with bounds that hold at all times."""

import math
import random
import statistics

import pytest
from scipy import integrate, stats

from flags.evidence import moments, sequence
from flags.evidence.moments import Moments


def _moments(values: list[float]) -> Moments:
    return Moments(
        count=len(values), total=sum(values), squares=sum(v * v for v in values)
    )


def _drawn(dice: random.Random, mean: float, count: int) -> Moments:
    return _moments([dice.gauss(mean, 0.7) for _ in range(count)])


def test_windows_add_up_to_the_whole() -> None:
    values = [7.1, 6.4, 8.0, 7.7, 5.9]

    whole = _moments(values[:2]) + _moments(values[2:])

    assert whole.mean == pytest.approx(statistics.fmean(values))
    assert whole.variance == pytest.approx(statistics.variance(values))


def test_no_data_is_none_and_never_zero() -> None:
    one = _moments([7.0])

    assert Moments().mean is None
    assert Moments().variance is None
    assert one.variance is None
    assert moments.difference(treatment=one, control=_moments([6.0, 7.0])) is None


def test_arms_without_any_spread_cannot_be_judged() -> None:
    same = _moments([0.1] * 50)
    spread = _moments([0.1, 0.2] * 25)

    assert moments.difference(treatment=_moments([1.0] * 50), control=spread) is None
    assert same.variance == pytest.approx(0, abs=1e-12)


def test_moments_survive_being_kept() -> None:
    kept = _moments([7.1, 6.4])

    assert Moments.from_json(kept.as_json()) == kept


def test_the_difference_is_welchs() -> None:
    dice = random.Random(2)
    ours = [dice.gauss(6, 0.5) for _ in range(40)]
    theirs = [dice.gauss(6.5, 0.9) for _ in range(70)]

    found = moments.difference(treatment=_moments(ours), control=_moments(theirs))

    expected = stats.ttest_ind(ours, theirs, equal_var=False)
    assert found is not None
    assert found.z(limit=0) == pytest.approx(-float(expected.statistic), rel=1e-6)
    assert found.information == pytest.approx(40 * 70 / 110)


@pytest.mark.parametrize("information", [10, 100, 2_000])
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_the_width_is_no_less_than_the_exact_mixtures(
    information: float, alpha: float
) -> None:
    spread = -2 * math.log(2 * alpha)
    rho = math.sqrt((spread + math.log1p(spread)) / 100)
    width = sequence.standard_width(information, alpha=alpha, planned_information=100)
    score = width * math.sqrt(information)

    def likelihood(drift: float) -> float:
        prior = 2 * stats.norm.pdf(drift, scale=rho)
        return float(prior * math.exp(drift * score - drift**2 * information / 2))

    peak = score / information
    mixed, _ = integrate.quad(likelihood, 0, 8 * rho + 2 * peak, points=[peak])

    assert 1 / alpha <= mixed < 1.6 / alpha


def test_the_bounds_are_tightest_about_where_it_was_planned() -> None:
    def width(planned: float) -> float:
        return sequence.standard_width(200, alpha=0.05, planned_information=planned)

    best = width(200)

    assert 1.645 < best < 3.5
    assert best < min(width(5), width(20_000))


def test_there_are_no_bounds_before_the_burn_in() -> None:
    dice = random.Random(4)
    few, many = _drawn(dice, 6, 29), _drawn(dice, 6, 500)

    found = sequence.bounds(
        treatment=few, control=many, alpha=0.05, planned_information=100
    )

    assert found is None


def test_there_are_no_bounds_without_spread() -> None:
    flat = _moments([2.0] * 64)

    found = sequence.bounds(
        treatment=flat, control=flat, alpha=0.05, planned_information=100
    )

    assert found is None


def test_half_the_tokens_are_found_to_be_less_than_six_tenths() -> None:
    dice = random.Random(6)

    found = sequence.bounds(
        treatment=_drawn(dice, 6 + math.log(0.5), 300),
        control=_drawn(dice, 6, 2_700),
        alpha=0.05,
        planned_information=200,
    )

    assert found is not None
    assert found.lower < found.estimate < found.upper < math.log(0.6)


def test_peeking_all_the_time_seldom_misses_the_truth() -> None:
    dice = random.Random(8)
    misses = 0

    for _ in range(200):
        ours, theirs, missed = Moments(), Moments(), False
        for _ in range(40):
            ours, theirs = ours + _drawn(dice, 6, 10), theirs + _drawn(dice, 6, 20)
            found = sequence.bounds(
                treatment=ours, control=theirs, alpha=0.05, planned_information=100
            )
            missed = missed or (found is not None and found.upper < 0)
        misses += missed

    assert misses <= 14  # 5 % of 200 are 10
