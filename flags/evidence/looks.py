"""A few planned looks at a success, each at its own bound, one error budget in all."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Self

_NORMAL = NormalDist()
_FARTHEST = 8.0  # beyond it lies less than 1 in 10¹⁵
_FEWEST, _MOST = 200, 1000  # points of the grid
_POINTS_A_DEVIATION = 6
_ROOT_TWO = math.sqrt(2)
_ROOT_TAU = math.sqrt(2 * math.pi)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look: what was known, what has been spent, and what would have been proof.

    `information` in any unit that precision grows with (`Difference.information`),
    `spent_alpha` up to and with this look, `bound_z` in standard errors.
    """

    information: float
    spent_alpha: float
    bound_z: float

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same look of, to the last bit."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read a kept look. Raises: KeyError, TypeError, ValueError."""
        return cls(**{name: float(kept[name]) for name in cls.__slots__})


def spent(share: float, *, alpha: float) -> float:
    """Return how much of α may be spent once this share of the information is there.

    One-sided, O'Brien–Fleming-like: 2 − 2Φ(z_{α/2} / √share), next to nothing early
    and nearly all at the end (Lan, DeMets 1983, Biometrika 70:659). A share beyond 1
    spends no more.
    """
    if share <= 0:
        return 0.0
    return 2 * _tail(_NORMAL.inv_cdf(1 - alpha / 2) / math.sqrt(min(share, 1.0)))


def look(
    before: Sequence[Look],
    *,
    information: float,
    planned_information: float,
    alpha: float,
    is_last: bool,
) -> Look:
    """Return the next look, with the bound that its z must reach to prove success.

    `before` are all looks taken, in order. The last look spends what is left of α,
    though information fell short of the plan. Looks may come when they like, as long
    as their moments do not depend on the estimates.

    Bounds by numerical integration as Armitage, McPherson, Rowe 1969; Jennison,
    Turnbull 1999, chapter 19. Some milliseconds for each earlier look.

    Raises: ValueError where there is no more information than at the look before.
    """
    known = before[-1].information if before else 0.0
    if information <= known:
        raise ValueError(
            f"A look needs more information than the one before, {known:g},"
            f" not {information:g}."
        )
    already = before[-1].spent_alpha if before else 0.0
    share = 1.0 if is_last else information / planned_information
    total = max(already, spent(share, alpha=alpha))
    return Look(
        information=information,
        spent_alpha=total,
        bound_z=_bound(before, information, total - already),
    )


def needed_information(
    *, z: float, bound_z: float, information: float, power: float = 0.8
) -> float | None:
    """Return about how much more information passes a bound, if the effect is real.

    `power` is how surely it then passes, 0–1. 0 where there is enough; None where the
    estimate points the other way. Precision grows as √information.
    """
    if z <= 0:
        return None
    reach = (bound_z + _NORMAL.inv_cdf(power)) / z
    return max(0.0, information * (reach * reach - 1))


def _bound(before: Sequence[Look], information: float, alpha: float) -> float:
    """Return the z that is first passed here with probability α under no effect."""
    places, weights, known = [0.0], [1.0], 0.0
    aheads = [later.information for later in before[1:]] + [information]
    for seen, ahead in zip(before, aheads, strict=False):
        places, weights = _carried(places, weights, known, seen, ahead)
        known = seen.information
    root, step = math.sqrt(information), math.sqrt(information - known)

    def passes(z: float) -> float:
        pairs = zip(places, weights, strict=True)
        return sum([w * _tail((z * root - place) / step) for place, w in pairs])

    low, high = -_FARTHEST, _FARTHEST
    while high - low > 1e-10:
        middle = (low + high) / 2
        low, high = (middle, high) if passes(middle) > alpha else (low, middle)
    return high


def _carried(
    places: list[float], weights: list[float], known: float, seen: Look, ahead: float
) -> tuple[list[float], list[float]]:
    """Return the score's distribution at a look that proved nothing, on a grid.

    The score is z·√information; it grows by independent normal steps. The grid is fine
    enough for the step to the look ahead. Simpson's rule.
    """
    root, step = math.sqrt(seen.information), math.sqrt(seen.information - known)
    finest = min(step, math.sqrt(ahead - seen.information))
    width = (seen.bound_z + _FARTHEST) * root
    count = round(width / finest * _POINTS_A_DEVIATION)
    count = min(max(count, _FEWEST), _MOST) // 2 * 2
    gap = width / count
    grid = [-_FARTHEST * root + k * gap for k in range(count + 1)]
    pairs = list(zip(places, weights, strict=True))
    return grid, [
        gap
        / 3
        * _simpson(k, count)
        * sum([w * math.exp(-(((s - place) / step) ** 2) / 2) for place, w in pairs])
        / (step * _ROOT_TAU)
        for k, s in enumerate(grid)
    ]


def _simpson(k: int, last: int) -> int:
    if k in (0, last):
        return 1
    return 4 if k % 2 else 2


def _tail(z: float) -> float:
    """Return 1 − Φ(z), with all digits of a small one."""
    return math.erfc(z / _ROOT_TWO) / 2
