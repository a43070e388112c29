"""Many healthy ramps at once: nine days, and trouble that both arms share.

The evidence is computed for all ramps together; `test_ramps` holds it against the
gates themselves.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from flags import plans
from flags.gates import harms
from flags.gates.counts import Drawn
from flags.observations import ArmCounts
from flags.plans import Harm

PLAN = plans.GUIDE
DAYS = tuple(
    (index, float(PLAN.percent_of(index)))
    for index, phase in enumerate(PLAN.phases)
    for _ in range(phase.dwell_s // plans.DAY_S)
)
DAY = plans.DAY_S // PLAN.window_s
AT_ONCE = 120  # windows
_A_WINDOW = 2_000 * PLAN.window_s / plans.HOUR_S
_LOG_FACTORIALS = np.array([math.lgamma(n + 1) for n in range(1_000)])


@dataclass(frozen=True)
class Trouble:
    """How often an event happens: usually, and while both arms are in trouble.

    `spells` a day of `minutes`, at random times, with the share `during`.
    """

    usual: float
    during: float = 0.0
    spells: int = 0
    minutes: int = 0
    bursts: int = 0

    def shares(self, dice: np.random.Generator, ramps: int) -> np.ndarray:
        """Return the share of a day's windows, for each ramp. Bursts: 10 %, 2 min."""
        found = np.full((DAY, ramps), self.usual)
        for count, minutes, share in (
            (self.bursts, 2, 0.1),
            (self.spells, self.minutes, self.during),
        ):
            for _ in range(count):
                begins = dice.integers(0, DAY - minutes, ramps)
                for minute in range(minutes):
                    found[begins + minute, np.arange(ramps)] = share
        return found


# Columns are ramps, rows windows.
@dataclass(frozen=True)
class Windows:
    """Some windows of all ramps: who was at risk in each arm, and who had it."""

    day: int
    first: int
    n_t: np.ndarray
    x_t: np.ndarray
    n_c: np.ndarray
    x_c: np.ndarray

    def pairs(self, ramp: int, event: str) -> Iterator[Drawn]:
        """Yield one ramp's windows as the gates take them."""
        phase_index, _ = DAYS[self.day]
        for n_t, x_t, n_c, x_c in zip(
            *(a[:, ramp].tolist() for a in (self.n_t, self.x_t, self.n_c, self.x_c)),
            strict=True,
        ):
            yield Drawn(
                phase_index=phase_index,
                percent=PLAN.percent_of(phase_index),
                treatment=_arm(event, n_t, x_t),
                control=_arm(event, n_c, x_c),
            )


def _arm(event: str, active: int, happened: int) -> ArmCounts:
    return ArmCounts(
        conversation_count=active, rated_count=active, **{f"{event}_count": happened}
    )


def traffic(
    dice: np.random.Generator, ramps: int, trouble: Trouble, *, volume: float = 1.0
) -> Iterator[Windows]:
    """Draw the ramps: 2,000 conversations an hour, ± 90 % by the time of the day."""
    phases = dice.uniform(0, math.tau, ramps)
    minutes = np.arange(DAY)[:, None] / DAY * math.tau
    rates = volume * _A_WINDOW * (1 + 0.9 * np.sin(minutes + phases))
    for day, (_, percent) in enumerate(DAYS):
        shares = trouble.shares(dice, ramps)
        for first in range(0, DAY, AT_ONCE):
            rows = slice(first, first + AT_ONCE)
            rate, share, part = rates[rows], shares[rows], percent / 100
            x_t = dice.poisson(rate * share * part)
            x_c = dice.poisson(rate * share * (1 - part))
            yield Windows(
                day=day,
                first=first,
                n_t=x_t + dice.poisson(rate * (1 - share) * part),
                x_t=x_t,
                n_c=x_c + dice.poisson(rate * (1 - share) * (1 - part)),
                x_c=x_c,
            )


@dataclass
class Evidence:
    """What a harm gate gathers in all ramps."""

    gate: Harm
    ramps: int
    peak: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self._design = harms.design(PLAN, self.gate)
        self._values = np.zeros((2, len(self._design.odds_ratios), self.ramps))
        self.peak = np.zeros(self.ramps)

    def add(self, windows: Windows) -> None:
        """Add windows, as `flags.evidence.harm.step` does one by one."""
        gained = self._gained(windows)
        for row in range(len(gained)):
            self._values += self._weight(windows.day, windows.first + row)
            self._values *= gained[row]
            above_none, above_margin = self._values.mean(axis=1)
            evidence = np.minimum(above_none, self._design.leniency * above_margin)
            np.maximum(self.peak, evidence, out=self.peak)

    def _weight(self, day: int, window: int) -> float:
        phase = DAYS[day][0]
        starts = window == 0 and (day == 0 or DAYS[day - 1][0] != phase)
        return self._design.budget.weight(
            window=day * DAY + window, start=phase if starts else None
        )

    def _gained(self, windows: Windows) -> np.ndarray:
        ratios = np.log(self._design.odds_ratios)
        limits = np.log((1.0, self._design.margin))
        failed = windows.x_t + windows.x_c
        gained = np.ones((len(failed), 2, len(ratios), failed.shape[1]))
        tells = (failed > 0) & (windows.n_t > 0) & (windows.n_c > 0)
        for count in np.unique(failed[tells]).tolist():
            rows, columns = np.nonzero(tells & (failed == count))
            x_t = windows.x_t[rows, columns]
            terms = _log_terms(
                windows.n_t[rows, columns], windows.n_c[rows, columns], count
            )
            harmful = _log_likelihood(terms, x_t, ratios)
            harmless = _log_likelihood(terms, x_t, limits)
            gained[rows, :, :, columns] = np.exp(
                harmful[:, None, :] - harmless[:, :, None]
            )
        return gained


def _log_terms(n_t: np.ndarray, n_c: np.ndarray, failed: int) -> np.ndarray:
    """Return log C(n_t, k)·C(n_c, failed − k): a row for each window."""
    ours = np.arange(failed + 1)
    terms: np.ndarray = _log_choose(n_t[:, None], ours) + _log_choose(
        n_c[:, None], failed - ours
    )
    terms -= terms.max(axis=1, keepdims=True)
    return terms


def _log_likelihood(
    terms: np.ndarray, x_t: np.ndarray, slopes: np.ndarray
) -> np.ndarray:
    ours = np.arange(terms.shape[1])
    sums: np.ndarray = np.exp(terms) @ np.exp(np.outer(ours, slopes))
    found: np.ndarray = np.outer(x_t, slopes) - np.log(sums)
    return found


def _log_choose(n: np.ndarray, k: np.ndarray) -> np.ndarray:
    rest = n - k
    found = _LOG_FACTORIALS[n] - _LOG_FACTORIALS[k] - _LOG_FACTORIALS[np.abs(rest)]
    return np.where(rest < 0, -np.inf, found)
