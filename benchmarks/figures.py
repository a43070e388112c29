"""Medians and ratios over rounds, judged against the goals, as text or JSON."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One value for each round; a spread is as much part of it as its median."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    goal: float | None = None
    better: Literal["lower", "higher"] = "lower"

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.rounds)

    @property
    def verdict(self) -> str:
        """`pass`, `MISS`, or nothing without a goal."""
        if self.goal is None:
            return ""
        is_met = (
            self.median <= self.goal
            if self.better == "lower"
            else self.median >= self.goal
        )
        return "pass" if is_met else "MISS"

    def row(self) -> tuple[str, ...]:
        """Return its line of the table."""
        sign = "≤" if self.better == "lower" else "≥"
        return (
            self.name,
            f"{self.median:,.2f} {self.unit}".strip(),
            f"{min(self.rounds):,.2f} – {max(self.rounds):,.2f}",
            "" if self.goal is None else f"{sign} {self.goal:g}",
            self.verdict,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return asdict(self) | {"median": self.median, "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a title, and what is to be said about it in words."""

    title: str
    figures: Sequence[Figure]
    notes: Sequence[str] = ()

    def text(self) -> str:
        """Return it for people."""
        parts = [self.title, "=" * len(self.title), table(self.figures)]
        return "\n".join([*parts, *(f"- {note}" for note in self.notes)])

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        figures = [figure.as_json() for figure in self.figures]
        return {"title": self.title, "figures": figures, "notes": list(self.notes)}


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of them do not exceed; NaN without any."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def ratio(above: Sequence[float], below: Sequence[float]) -> tuple[float, ...]:
    """Divide round by round: what happened at the same time belongs together."""
    return tuple(a / b for a, b in zip(above, below, strict=True))


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as aligned text."""
    rows = [("measure", "median", "rounds", "goal", ""), *(f.row() for f in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
