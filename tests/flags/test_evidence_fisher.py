"""One window is weighed exactly: as scipy does, and with a mean of 1 under the null."""

import math
import random
import warnings
from itertools import pairwise

import pytest
from scipy.stats import nchypergeom_fisher

from flags.evidence.fisher import Counts, e_values

RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
LIMITS = (1.0, 1.25)


def _counts(treatment: tuple[int, int], control: tuple[int, int]) -> Counts:
    return Counts(
        treatment_count=treatment[1],
        treatment_failed=treatment[0],
        control_count=control[1],
        control_failed=control[0],
    )


def _probability(failed: int, sizes: tuple[int, int], total: int, odds: float) -> float:
    everybody = sum(sizes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(nchypergeom_fisher.pmf(failed, everybody, sizes[0], total, odds))


def _possible(sizes: tuple[int, int], total: int) -> range:
    return range(max(0, total - sizes[1]), min(total, sizes[0]) + 1)


def test_it_agrees_with_scipy() -> None:
    dice = random.Random(5)
    compared = 0

    for _ in range(150):
        sizes = (dice.randint(1, 60), dice.randint(1, 400))
        total = dice.randint(1, min(25, sum(sizes)))
        failed = dice.choice(_possible(sizes, total))
        counts = _counts((failed, sizes[0]), (total - failed, sizes[1]))
        rows = e_values(counts, odds_ratios=RATIOS, limits=LIMITS)
        for limit, row in zip(LIMITS, rows, strict=True):
            harmless = _probability(failed, sizes, total, limit)
            for ratio, value in zip(RATIOS, row, strict=True):
                harmful = _probability(failed, sizes, total, ratio)
                if min(harmless, harmful) > 1e-250:
                    assert value == pytest.approx(harmful / harmless, rel=1e-6)
                    compared += 1

    assert compared > 1_500


@pytest.mark.parametrize("sizes", [(1, 9), (5, 5), (3, 40), (40, 3), (1, 1)])
@pytest.mark.parametrize("limit", LIMITS)
def test_the_mean_is_one_at_the_limit_and_less_below(
    sizes: tuple[int, int], limit: float
) -> None:
    for total in range(sum(sizes) + 1):
        for true_odds in (0.5, 1.0, 1.25):
            if true_odds > limit:
                continue
            means = [0.0] * len(RATIOS)
            # Our own sums, not scipy's: their exactness is what is tested above.
            chances = _chances(sizes, total, true_odds)
            for failed, chance in chances.items():
                counts = _counts((failed, sizes[0]), (total - failed, sizes[1]))
                (row,) = e_values(counts, odds_ratios=RATIOS, limits=(limit,))
                means = [m + chance * v for m, v in zip(means, row, strict=True)]
            if true_odds == limit:
                assert means == pytest.approx([1.0] * len(RATIOS), abs=1e-9)
            assert max(means) <= 1 + 1e-9


def _chances(sizes: tuple[int, int], total: int, odds: float) -> dict[int, float]:
    ways = {
        k: math.comb(sizes[0], k) * math.comb(sizes[1], total - k) * odds**k
        for k in _possible(sizes, total)
    }
    return {k: way / sum(ways.values()) for k, way in ways.items()}


@pytest.mark.parametrize(
    ("treatment", "control"),
    [
        pytest.param((0, 30), (0, 300), id="nobody fails"),
        pytest.param((0, 0), (7, 300), id="no treatment"),
        pytest.param((7, 30), (0, 0), id="no control"),
        pytest.param((30, 30), (300, 300), id="all fail: a provider's outage"),
        pytest.param((0, 0), (0, 0), id="nobody came"),
    ],
)
def test_a_window_without_a_comparison_says_nothing(
    treatment: tuple[int, int], control: tuple[int, int]
) -> None:
    rows = e_values(_counts(treatment, control), odds_ratios=RATIOS, limits=LIMITS)

    assert [*rows[0], *rows[1]] == pytest.approx([1.0] * 12)


def test_more_failures_in_treatment_say_more() -> None:
    rows = [
        e_values(_counts((k, 30), (10 - k, 300)), odds_ratios=RATIOS, limits=LIMITS)
        for k in range(11)
    ]

    for fewer, more in pairwise(rows):
        assert all(a < b for a, b in zip(fewer[0], more[0], strict=True))


def test_a_huge_window_stays_a_number() -> None:
    counts = _counts((2_000, 2_000), (0, 20_000))

    rows = e_values(counts, odds_ratios=RATIOS, limits=LIMITS)

    assert all(1e290 < value < math.inf for value in rows[0])


def test_a_huge_window_against_control_is_no_less_than_nothing() -> None:
    counts = _counts((0, 2_000), (2_000, 2_000))

    rows = e_values(counts, odds_ratios=RATIOS, limits=LIMITS)

    assert all(0 <= value < 1 for value in rows[0])


@pytest.mark.parametrize(
    ("treatment", "control", "arm"),
    [((3, 2), (0, 9), "treatment"), ((1, 2), (-1, 9), "control")],
)
def test_it_refuses_impossible_counts(
    treatment: tuple[int, int], control: tuple[int, int], arm: str
) -> None:
    with pytest.raises(ValueError, match=f"Failed conversations of {arm} must be 0 to"):
        _counts(treatment, control)
