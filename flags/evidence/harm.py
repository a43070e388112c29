"""Evidence of harm, gathered over a whole ramp, that may be read at any moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import pi
from typing import Any, Self

from flags.evidence import fisher
from flags.evidence.fisher import Counts

CEILING = 1e300  # no JSON column keeps an infinity


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How the one unit of weight is spent on the moments at which harm may begin.

    `at_starts` goes to the starts of phases in equal parts, `extending` to windows
    after the planned ones as 1/k², the rest evenly to the planned windows.

    Raises: ValueError where that is not a plan.
    """

    planned_windows: int
    planned_starts: int
    at_starts: float = 0.4
    extending: float = 0.2

    def __post_init__(self) -> None:
        if self.planned_windows < 1 or self.planned_starts < 1:
            raise ValueError("A budget needs at least one window and one start.")
        if min(self.at_starts, self.extending, self.evenly) < 0:
            raise ValueError("The shares of a budget must be 0 or more, and 1 in all.")

    @property
    def evenly(self) -> float:
        """The share that the planned windows divide among them, 0–1."""
        return 1 - self.at_starts - self.extending

    def weight(self, *, window: int, start: int | None) -> float:
        """Return what is spent on a window, 0–1. Windows and starts count from 0.

        `start` is the number of the phase that starts here; None where none does.
        Starts after the planned ones get nothing extra, so all weights sum to 1.
        """
        spent = 0.0
        if start is not None and start < self.planned_starts:
            spent = self.at_starts / self.planned_starts
        if window < self.planned_windows:
            return spent + self.evenly / self.planned_windows
        late = window - self.planned_windows + 1
        return spent + self.extending * 6 / (pi * late) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How harm is looked for: set before a ramp's first window, the same to its last.

    `odds_ratios` are the harms looked for, equally likely beforehand. An odds ratio up
    to `margin` is not worth a rollback: evidence against it must reach 1/(`leniency`·α)
    as well. So an alarm is false with probability α at most where treatment fails no
    more than control, and `leniency`·α at most anywhere up to the margin. A margin
    kept at α itself (`leniency` 1) finds a tenfold jump a sixth later.

    Raises: ValueError where an odds ratio is within the margin.
    """

    budget: Budget
    odds_ratios: tuple[float, ...] = (1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
    margin: float = 1.25
    leniency: float = 5.0

    def __post_init__(self) -> None:
        if not 1 <= self.margin < min(self.odds_ratios):
            raise ValueError(
                "Odds ratios must be above the margin, and that 1 or more."
            )
        if self.leniency < 1:
            raise ValueError(f"Leniency must be 1 or more, not {self.leniency}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What has been gathered: act where `evidence` is 1/α or more.

    Two rows of values, one for each odds ratio: against "no harm" and against "harm
    within the margin". `peak` is the most evidence there ever was.
    """

    above_none: tuple[float, ...]
    above_margin: tuple[float, ...]
    evidence: float = 0.0
    peak: float = 0.0
    windows: int = 0
    starts: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same state of, to the last bit."""
        lists = {name: list(getattr(self, name)) for name in _ROWS}
        return asdict(self) | lists

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read a kept state. Raises: KeyError, TypeError or ValueError if it is none.

        A database may have kept 1.0 as 1.
        """
        return cls(
            above_none=tuple(map(float, kept["above_none"])),
            above_margin=tuple(map(float, kept["above_margin"])),
            evidence=float(kept["evidence"]),
            peak=float(kept["peak"]),
            windows=int(kept["windows"]),
            starts=int(kept["starts"]),
        )


_ROWS = ("above_none", "above_margin")


def begin(design: Design) -> State:
    """Return the state before the first window: no evidence at all."""
    nothing = (0.0,) * len(design.odds_ratios)
    return State(above_none=nothing, above_margin=nothing)


def step(state: State, counts: Counts, *, design: Design, starts_phase: bool) -> State:
    """Add one window: M ← (M + w)·e for each odds ratio; evidence is their mean.

    P(the mean ever reaches 1/α) ≤ α without harm, for any peeking and stopping, since
    M plus the weight not yet spent is a nonnegative supermartingale that starts at 1
    (Ville 1939). Spreading the start over w: Shin, Ramdas, Rinaldo 2022, "E-detectors",
    arXiv:2203.03532. Conversations at risk that fail once each make it a safe log-rank
    test: Grünwald, Ly, Pérez-Ortiz, ter Schure 2020, arXiv:2011.06931.
    """
    weight = design.budget.weight(
        window=state.windows, start=state.starts if starts_phase else None
    )
    over_none, over_margin = fisher.e_values(
        counts, odds_ratios=design.odds_ratios, limits=(1.0, design.margin)
    )
    above_none = _grown(state.above_none, weight, over_none)
    above_margin = _grown(state.above_margin, weight, over_margin)
    evidence = min(_mean(above_none), design.leniency * _mean(above_margin))
    return State(
        above_none=above_none,
        above_margin=above_margin,
        evidence=evidence,
        peak=max(state.peak, evidence),
        windows=state.windows + 1,
        starts=state.starts + starts_phase,
    )


def replay(windows: Iterable[tuple[Counts, bool]], *, design: Design) -> State:
    """Gather a ramp anew from its windows, each with whether a phase starts there."""
    state = begin(design)
    for counts, starts_phase in windows:
        state = step(state, counts, design=design, starts_phase=starts_phase)
    return state


def pooled(evidence: Sequence[float], *, shares: Sequence[float]) -> float:
    """Join several gates into one that acts at 1/α: their sum, by their shares of α.

    Gates may depend on each other; the mean of a sum does not mind.

    Raises: ValueError where there are not as many shares, or more than 1 in all.
    """
    if sum(shares) > 1 + 1e-9:
        raise ValueError(f"Shares of α must be 1 in all, not {sum(shares)}.")
    return sum(share * one for share, one in zip(shares, evidence, strict=True))


def _grown(
    values: tuple[float, ...], weight: float, gained: tuple[float, ...]
) -> tuple[float, ...]:
    pairs = zip(values, gained, strict=True)
    grown = [(value + weight) * e for value, e in pairs]
    if max(grown) > CEILING:
        grown = [min(value, CEILING) for value in grown]
    return tuple(grown)


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)
