"""Draws come out with the means and spreads that they should have."""

from random import Random
from statistics import fmean, pvariance

import pytest

from flags.simulation import chance

DRAWS = 4000


@pytest.mark.parametrize("mean", [0.2, 5.0, 29.0, 31.0, 400.0])
def test_counts_spread_as_much_as_their_mean(mean: float) -> None:
    dice = Random(1)

    drawn = [chance.poisson(dice, mean) for _ in range(DRAWS)]

    assert fmean(drawn) == pytest.approx(mean, rel=0.05)
    assert pvariance(drawn) == pytest.approx(mean, rel=0.1)


@pytest.mark.parametrize(
    ("count", "share"), [(10, 0.3), (40, 0.99), (1000, 0.005), (1000, 0.2), (9000, 0.7)]
)
def test_shares_of_a_number_are_binomial(count: int, share: float) -> None:
    dice = Random(2)

    drawn = [chance.binomial(dice, count, share) for _ in range(DRAWS)]

    assert fmean(drawn) == pytest.approx(count * share, rel=0.03)
    assert pvariance(drawn) == pytest.approx(count * share * (1 - share), rel=0.1)
    assert 0 <= min(drawn) <= max(drawn) <= count


def test_nothing_and_everything_are_certain() -> None:
    dice = Random(3)

    assert chance.poisson(dice, 0) == 0
    assert [chance.binomial(dice, 7, share) for share in (0, 1)] == [0, 7]
    assert chance.binomial(dice, 0, 0.5) == 0


def test_moments_are_those_of_values_that_nobody_drew() -> None:
    dice = Random(4)

    found = chance.moments(dice, 20_000, mean=7.0, spread=0.5)
    rest = [chance.moments(dice, count, mean=7.0, spread=0.5) for count in (0, 1)]

    assert found.mean == pytest.approx(7.0, abs=0.02)
    assert found.variance == pytest.approx(0.25, rel=0.05)
    assert [each.count for each in rest] == [0, 1]
    assert rest[1].squares == pytest.approx(rest[1].total ** 2)
