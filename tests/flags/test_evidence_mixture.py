"""A share is proved below or above a limit, and no more often than promised."""

import math
import random

import pytest
from scipy import integrate, special

from flags.evidence import beta, mixture
from flags.evidence.mixture import Side


@pytest.mark.parametrize("x", [1e-6, 0.01, 0.3, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize(
    ("a", "b"), [(0.5, 0.5), (3.5, 200.5), (5_000.5, 40.5), (1, 9)]
)
def test_the_beta_distribution_is_scipys(x: float, a: float, b: float) -> None:
    expected = special.betainc(a, b, x)

    assert beta.log_beta(a, b) == pytest.approx(special.betaln(a, b), rel=1e-9)
    if expected > 1e-300:
        found = beta.log_share_below(x, a=a, b=b)
        assert found == pytest.approx(math.log(expected), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("hits", [0, 3, 9, 40])
@pytest.mark.parametrize("side", ["below", "above"])
def test_it_is_the_integral_that_it_says(hits: int, side: Side) -> None:
    count, limit = 100, 0.2
    low, high = (0, limit) if side == "below" else (limit, 1)

    def likelihood(p: float) -> float:
        return float((p / limit) ** hits * ((1 - p) / (1 - limit)) ** (count - hits))

    def prior(p: float) -> float:
        return 1 / math.sqrt(p * (1 - p))

    ours, _ = integrate.quad(lambda p: likelihood(p) * prior(p), low, high, limit=200)
    whole, _ = integrate.quad(prior, low, high, limit=200)
    found = mixture.log_evidence(hits=hits, count=count, limit_ratio=limit, proves=side)

    assert found == pytest.approx(math.log(ours / whole), abs=1e-6)


@pytest.mark.parametrize("true_ratio", [0.3, 0.4, 0.7])
def test_the_mean_is_one_at_the_limit_and_less_beyond(true_ratio: float) -> None:
    count = 40

    mean = sum(
        math.comb(count, hits)
        * true_ratio**hits
        * (1 - true_ratio) ** (count - hits)
        * math.exp(
            mixture.log_evidence(
                hits=hits, count=count, limit_ratio=0.3, proves="below"
            )
        )
        for hits in range(count + 1)
    )

    assert mean <= 1 + 1e-9
    if true_ratio == 0.3:
        assert mean == pytest.approx(1.0, abs=1e-9)


def test_peeking_does_not_prove_what_is_not_so() -> None:
    dice = random.Random(3)
    fooled = 0

    for _ in range(200):
        hits, proved = 0, False
        for count in range(1, 1_001):
            hits += dice.random() < 0.05
            if count % 20 == 0:
                found = mixture.log_evidence(
                    hits=hits, count=count, limit_ratio=0.05, proves="below"
                )
                proved = proved or found >= math.log(20)
        fooled += proved

    assert fooled <= 14  # 5 % of 200 are 10, and 4 are a deviation and more


def test_no_data_is_no_evidence() -> None:
    found = mixture.log_evidence(hits=0, count=0, limit_ratio=0.01, proves="below")

    assert found == 0


def test_it_says_how_many_more_a_proof_takes() -> None:
    more = mixture.needed_count(
        hits=1, count=200, limit_ratio=0.01, proves="below", alpha=0.05
    )

    assert more is not None
    total = 200 + more
    found = mixture.log_evidence(
        hits=round(total / 200), count=total, limit_ratio=0.01, proves="below"
    )
    assert 500 < more < 3_000
    assert found >= math.log(20)


@pytest.mark.parametrize(
    ("hits", "count", "side", "expected"),
    [
        pytest.param(0, 0, "below", None, id="nothing came"),
        pytest.param(30, 100, "below", None, id="on the wrong side"),
        pytest.param(10, 100, "below", 0, id="proved"),
        pytest.param(10, 100, "above", None, id="above it is not"),
        pytest.param(60, 100, "above", 0, id="proved to be above"),
    ],
)
def test_it_knows_when_no_number_would_do(
    hits: int, count: int, side: Side, expected: int | None
) -> None:
    more = mixture.needed_count(
        hits=hits, count=count, limit_ratio=0.3, proves=side, alpha=0.05
    )

    assert more == expected


def test_a_proof_beyond_all_patience_is_none() -> None:
    more = mixture.needed_count(
        hits=2_999_999, count=10_000_000, limit_ratio=0.3, proves="below", alpha=0.05
    )

    assert more is None


@pytest.mark.parametrize(
    ("hits", "limit", "words"),
    [(5, 0.5, "Hits must be 0 to 4"), (1, 0.0, "between 0 and 1"), (1, 1.0, "not 1.0")],
)
def test_it_refuses_what_cannot_be(hits: int, limit: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        mixture.log_evidence(hits=hits, count=4, limit_ratio=limit, proves="below")
