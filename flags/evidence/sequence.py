"""Bounds of a difference that hold at all times at once, for ramps without an end."""

import math
from dataclasses import dataclass

from flags.evidence.moments import Moments, difference

BURN_IN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Where the difference lies; each bound alone is right with 1 − α at all times."""

    lower: float
    estimate: float
    upper: float


def bounds(
    *, treatment: Moments, control: Moments, alpha: float, planned_information: float
) -> Bounds | None:
    """Bound treatment's mean minus control's, whenever and however often one looks.

    In the metric's own unit: logarithms give the log of a ratio. `planned_information`
    is where the bounds are to be tightest, in pairs (`Difference.information`). None
    before either arm has `BURN_IN` conversations: the bounds are asymptotic, and with
    fewer they are false too often.

    Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2021, arXiv:2103.06476.
    """
    if min(treatment.count, control.count) < BURN_IN:
        return None
    found = difference(treatment=treatment, control=control)
    if found is None:
        return None
    width = found.standard_error * standard_width(
        found.information, alpha=alpha, planned_information=planned_information
    )
    return Bounds(
        lower=found.estimate - width,
        estimate=found.estimate,
        upper=found.estimate + width,
    )


def standard_width(
    information: float, *, alpha: float, planned_information: float
) -> float:
    """Return the half-width in standard errors: more than a fixed sample's, for ever.

    √(2 (v + 1)/v · log(1 + √(v + 1)/(2α))) with v = information · ρ², the closed form
    of the one-sided normal mixture (Howard, Ramdas, McAuliffe, Sekhon 2021,
    arXiv:1810.08240); ρ² = (−2 log 2α + log(1 − 2 log 2α)) / planned_information.
    """
    spread = -2 * math.log(2 * alpha)
    v = information * (spread + math.log1p(spread)) / planned_information
    return math.sqrt(2 * (v + 1) / v * math.log1p(math.sqrt(v + 1) / (2 * alpha)))
