"""Planned looks share one error budget, at the bounds of the literature."""

import json
import math
import random

import pytest
from scipy import stats

from flags.evidence import looks
from flags.evidence.looks import Look


def _planned(*informations: float, alpha: float, planned: float = 1.0) -> list[Look]:
    taken: list[Look] = []
    for number, information in enumerate(informations, start=1):
        taken.append(
            looks.look(
                taken,
                information=information,
                planned_information=planned,
                alpha=alpha,
                is_last=number == len(informations),
            )
        )
    return taken


def test_the_bounds_are_those_of_gs_design() -> None:
    taken = _planned(0.2, 0.4, 0.6, 0.8, 1.0, alpha=0.025)

    found = [round(one.bound_z, 4) for one in taken]
    assert found == [4.8769, 3.3570, 2.6803, 2.2898, 2.0310]  # sfLDOF, five looks


def test_one_look_is_an_ordinary_test() -> None:
    (only,) = _planned(300, alpha=0.05, planned=1_000)

    assert only.bound_z == pytest.approx(stats.norm.isf(0.05), abs=1e-6)
    assert only.spent_alpha == pytest.approx(0.05)


@pytest.mark.parametrize(
    "shares", [(0.3, 0.7, 1.0), (0.5, 0.51, 1.3), (0.1, 0.9, 0.95)]
)
def test_the_first_three_looks_are_right_by_scipys_normal(
    shares: tuple[float, ...],
) -> None:
    taken = _planned(*shares, alpha=0.05)

    root = [math.sqrt(one.information) for one in taken]
    covariance = [[min(a, b) / max(a, b) for b in root] for a in root]
    missed = stats.multivariate_normal.cdf(
        [one.bound_z for one in taken], cov=covariance, abseps=1e-8, releps=1e-8
    )
    assert 1 - missed == pytest.approx(0.05, abs=1e-6)


def test_the_spending_is_nothing_at_first_and_all_at_last() -> None:
    shares = [looks.spent(share, alpha=0.05) for share in (-1, 0, 0.05, 0.5, 1, 2)]

    assert shares[:2] == [0, 0]
    assert shares[2] < 1e-15
    assert shares[3] == pytest.approx(2 * stats.norm.sf(1.959964 / 0.5**0.5), rel=1e-4)
    assert shares[4:] == pytest.approx([0.05, 0.05])


def test_a_look_far_too_early_asks_for_a_wonder() -> None:
    first, last = _planned(0.01, 1.0, alpha=0.05)

    assert first.bound_z == pytest.approx(8)
    assert last.bound_z == pytest.approx(stats.norm.isf(0.05), abs=1e-6)


def test_a_look_after_all_is_spent_proves_nothing() -> None:
    taken = _planned(0.5, 1.0, alpha=0.05)

    more = looks.look(
        taken, information=1.5, planned_information=1, alpha=0.05, is_last=True
    )

    assert more.spent_alpha == taken[-1].spent_alpha
    assert more.bound_z == pytest.approx(8, abs=1e-6)


def test_it_refuses_a_look_without_news() -> None:
    taken = _planned(100, alpha=0.05)

    with pytest.raises(ValueError, match="more information than the one before, 100"):
        looks.look(
            taken, information=100, planned_information=9, alpha=0.05, is_last=False
        )


def test_kept_looks_go_on_the_same() -> None:
    taken = _planned(0.3, 0.6, 1.0, alpha=0.05)

    kept = [Look.from_json(json.loads(json.dumps(one.as_json()))) for one in taken]
    again = looks.look(
        kept[:2], information=1.0, planned_information=1, alpha=0.05, is_last=True
    )

    assert kept == taken
    assert again == taken[2]


def test_six_looks_prove_too_much_no_more_often_than_promised() -> None:
    dice = random.Random(9)
    taken = _planned(1, 2, 3, 4, 5, 6, alpha=0.05, planned=6)
    fooled = 0

    for _ in range(4_000):
        score = 0.0
        for number, one in enumerate(taken, start=1):
            score += dice.gauss(0, 1)
            if score / math.sqrt(number) >= one.bound_z:
                fooled += 1
                break

    assert fooled == pytest.approx(200, abs=42)  # three deviations


def test_it_says_how_much_more_information_would_do() -> None:
    more = looks.needed_information(z=1.0, bound_z=1.7, information=100)

    assert more == pytest.approx(100 * ((1.7 + 0.8416) ** 2 - 1), rel=1e-3)
    assert looks.needed_information(z=9, bound_z=1.7, information=100) == 0
    assert looks.needed_information(z=-0.1, bound_z=1.7, information=100) is None
    assert looks.needed_information(z=0.0, bound_z=1.7, information=100) is None
