"""Drills: a fault is put in on purpose, on a copy of the service, and must be undone.

Flags can't start a service, so whoever can registers here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from django.utils import timezone

from flags.changes import Actor
from flags.errors import DrillBroken
from flags.models import Drill

FAULTS = "errors=0.5, latency=3x, nodata, db or beat-stop"
_SHARE = re.compile(r"errors=(0?\.\d{1,3}|1(?:\.0*)?)", re.ASCII)
_TIMES = re.compile(r"latency=(\d{1,2}(?:\.\d)?)x", re.ASCII)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is broken: `size` is the share of turns that fail (0–1), or how many times
    as long they take; 0 for the other kinds.
    """

    kind: str
    size: float = 0.0

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a fault. Raises: ValueError that says what is possible."""
        if text in {"nodata", "db", "beat-stop"}:
            return cls(text)
        if (found := _SHARE.fullmatch(text)) and float(found[1]) > 0:
            return cls("errors", float(found[1]))
        if (found := _TIMES.fullmatch(text)) and float(found[1]) > 1:
            return cls("latency", float(found[1]))
        raise ValueError(f"{text!r} is no fault to drill: {FAULTS} is.")

    def __str__(self) -> str:
        sizes = {
            "errors": f"errors={self.size:g}",
            "latency": f"latency={self.size:g}x",
        }
        return sizes.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a drill ended.

    Seconds: `decided_s` from the fault to the decision; `begun_s` and `served_s` from
    the decision until the last persistent turn was begun, and had ended. Negative: it
    was before the decision. None: there was no such decision or turn.
    """

    is_green: bool
    sentence: str
    decided_s: float | None = None
    begun_s: float | None = None
    served_s: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """From the fault to the last persistent turn; None: it was not taken back."""
        if self.decided_s is None or self.served_s is None:
            return None
        return max(0.0, self.decided_s + self.served_s)


class Runner(Protocol):
    """Who can put a fault into a copy of the service."""

    def __call__(self, fault: Fault, say: Say) -> Result:
        """Run a drill to its end. Raises: DrillBroken where it can't be run."""
        ...


_runners: list[Runner] = []


def register(runner: Runner) -> None:
    """Say who runs drills; the last one counts."""
    _runners[:] = [runner]


def run(fault: Fault, *, actor: Actor, say: Say) -> Drill:
    """Run a drill and keep how it ended; a broken one is kept as red.

    Raises: DrillBroken.
    """
    if not _runners:
        raise DrillBroken("Nobody here can run a drill.")
    drill = Drill.objects.create(fault=str(fault), created_by=actor.name)
    try:
        result = _runners[-1](fault, say)
    except BaseException as error:
        _end(drill, is_green=False, detail={"sentence": f"It broke off: {error}"})
        raise
    _end(
        drill,
        is_green=result.is_green,
        seconds=result.seconds,
        detail={
            "sentence": result.sentence,
            "decided_s": result.decided_s,
            "begun_s": result.begun_s,
            "served_s": result.served_s,
            **result.detail,
        },
    )
    return drill


def _end(
    drill: Drill,
    *,
    is_green: bool,
    detail: dict[str, Any],
    seconds: float | None = None,
) -> None:
    drill.is_green, drill.seconds, drill.detail = is_green, seconds, detail
    drill.ended_at = timezone.now()
    drill.save()
