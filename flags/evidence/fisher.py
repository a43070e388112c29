"""How much one window says against treatment, given what control did meanwhile."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_LARGEST_LOG = 690.0  # e to this is still a float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What happened in both arms within one window, in conversations.

    A count is the conversations at risk: active here and not failed yet today. One
    that failed earlier today cannot fail for the first time again, and leaves both
    numbers. An arm without conversations counts 0, and the window then says nothing.

    Raises: ValueError where more have failed than there were.
    """

    treatment_count: int
    treatment_failed: int
    control_count: int
    control_failed: int

    def __post_init__(self) -> None:
        for arm, failed, count in (
            ("treatment", self.treatment_failed, self.treatment_count),
            ("control", self.control_failed, self.control_count),
        ):
            if not 0 <= failed <= count:
                raise ValueError(
                    f"Failed conversations of {arm} must be 0 to {count}, as many as"
                    f" were active, not {failed}."
                )


def e_values(
    counts: Counts, *, odds_ratios: Sequence[float], limits: Sequence[float]
) -> tuple[tuple[float, ...], ...]:
    """Weigh a window against "treatment's odds of failing are `limit` × control's".

    One row for each limit, one value in it for each odds ratio: 1 says nothing, 10
    that the counts are ten times likelier under that odds ratio than at the limit.
    While the true odds ratio is the limit or less, the mean of a value is 1 at most,
    whatever the base rate, the traffic and the split. Odds ratios are above all limits.

    Likelihood ratio of Fisher's noncentral hypergeometric distribution given all
    margins (Fisher 1935; as an e-value Turner, Ly, Grünwald 2021, arXiv:2106.02693):
    (ψ/m)^x · S(m) / S(ψ) with S(ψ) = Σ C(n_t, k) C(n_c, f−k) ψ^k. It rises with x,
    hence its mean rises with the true odds ratio, and is 1 where that equals m.
    """
    failed = counts.treatment_failed + counts.control_failed
    if not (failed and counts.treatment_count and counts.control_count):
        return ((1.0,) * len(odds_ratios),) * len(limits)
    lowest, terms = _log_terms(counts, failed)
    extra = counts.treatment_failed - lowest
    harmful = [_log_likelihood(terms, extra, ratio) for ratio in odds_ratios]
    harmless = [_log_likelihood(terms, extra, limit) for limit in limits]
    return tuple(
        tuple([math.exp(min(high - low, _LARGEST_LOG)) for high in harmful])
        for low in harmless
    )


def _log_terms(counts: Counts, failed: int) -> tuple[int, list[float]]:
    """Return the fewest failures treatment may have had, and log C(n_t,k)·C(n_c,f−k).

    For each k from there on, up to a constant that cancels.
    """
    treatment, control = counts.treatment_count, counts.control_count
    lowest = max(0, failed - control)
    terms = [0.0]
    for k in range(lowest, min(failed, treatment)):
        odds = (treatment - k) * (failed - k) / ((k + 1) * (control - failed + k + 1))
        terms.append(terms[-1] + math.log(odds))
    return lowest, terms


def _log_likelihood(terms: list[float], extra: int, odds_ratio: float) -> float:
    slope = math.log(odds_ratio)
    tilted = [term + k * slope for k, term in enumerate(terms)]
    top = max(tilted)
    return extra * slope - top - math.log(sum([math.exp(t - top) for t in tilted]))
