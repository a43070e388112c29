"""Runs a drill from the start of a copy to its end, and judges what happened."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.utils import timezone

from flags.drills import Fault, Result, Say
from flags.errors import DrillBroken
from oracle_site.drilling import copies, faults, found, people
from oracle_site.drilling.copies import Copy
from oracle_site.drilling.faults import Course
from oracle_site.drilling.found import Decided
from oracle_site.drilling.people import People

_CLIENTS = 8
_PAUSE_S = 0.05
_ENOUGH = 4  # conversations with persistent turns, before a fault is put in
_READY_WITHIN_S, _ACTS_WITHIN_S, _STAYS_S, _AGAIN_S = 150.0, 150.0, 45.0, 15.0
# From the decision on, by the service level of D.4: every process has heard.
_HEARD_WITHIN_S = 5.0
_POLL_S = 0.25


def run(fault: Fault, say: Say) -> Result:
    """Drill a fault on a copy that is gone afterwards. Raises: DrillBroken."""
    say("A copy of the service is started in a folder of its own.")
    with (
        TemporaryDirectory(prefix="oracle-drill-") as folder,
        copies.running(Path(folder), first_ms=faults.FIRST_MS, words=8) as copy,
        people.talking(copy.url, count=_CLIENTS, pause_s=_PAUSE_S) as crowd,
    ):
        return _Drill(fault, faults.course(fault), copy, crowd, say).result()


@dataclass(slots=True)
class _Drill:
    """One drill on a copy that runs."""

    fault: Fault
    course: Course
    copy: Copy
    people: People
    say: Say
    told: int = 0

    def result(self) -> Result:
        self.copy.begin(self.course.plan, every_s=faults.TICK_EVERY_S)
        self._until(self._is_ready, within_s=_READY_WITHIN_S)
        at = faults.put_in(self.fault, self.copy, self.people)
        self.say(f"The fault is in: {self.fault}.")
        result = self._stay(at) if self.course.must_stay else self._taken_back(at)
        detail: dict[str, Any] = {
            "turns": found.turns(self.copy),
            "statuses": {str(k): n for k, n in self.people.statuses.items()},
            "decisions": [
                {
                    "seconds": round((each.at - at).total_seconds(), 2),
                    "action": each.action,
                    "percent": str(each.percent),
                    "sentence": each.sentence,
                }
                for each in found.decided(self.copy)
            ],
        }
        return replace(result, detail=detail)

    def _taken_back(self, at: datetime) -> Result:
        """Wait for the right move; a rollback must be confirmed by the turns, too."""
        if not self._until(lambda: bool(self._moves(at)), within_s=_ACTS_WITHIN_S):
            return Result(
                is_green=False,
                sentence=f"Nothing was done for {_ACTS_WITHIN_S:.0f} s.",
            )
        decision = self._moves(at)[0]
        decided_s = (decision.at - at).total_seconds()
        sentence = f"{decision.sentence} Decided {decided_s:.1f} s after the fault"
        if decision.action != "roll_back":
            return Result(is_green=True, sentence=f"{sentence}.", decided_s=decided_s)
        is_confirmed = self._until(
            lambda: found.rollout(self.copy)["state"] == "rolled_back",
            within_s=_ACTS_WITHIN_S,
        )
        begun_s, served_s = self._last_persistent(decision)
        is_off = found.given_percent(self.copy) == 0
        is_heard = begun_s is None or begun_s <= _HEARD_WITHIN_S
        return Result(
            is_green=is_confirmed and is_off and is_heard,
            sentence=f"{sentence}; {_words(begun_s, served_s)}.",
            decided_s=decided_s,
            begun_s=begun_s,
            served_s=served_s,
        )

    def _stay(self, at: datetime) -> Result:
        """See that nothing is widened meanwhile, nor more than a phase afterwards."""
        before = found.rollout(self.copy)
        self._until(lambda: False, within_s=_STAYS_S)
        after = found.rollout(self.copy)
        stayed = (before["percent"], before["phase_index"]) == (
            after["percent"],
            after["phase_index"],
        )
        sentence = (
            f"For {_STAYS_S:.0f} s it stayed at {after['percent']} %, though the phase "
            f"was over. {self._why()}"
            if stayed
            else f"It went from {before['percent']} to {after['percent']} %."
        )
        if self.fault.kind != "beat-stop":
            return Result(is_green=stayed, sentence=sentence)
        mended = timezone.now()
        faults.mend(self.fault, self.copy, self.course.plan)
        self.say("Ticks come again.")
        self._until(lambda: False, within_s=_AGAIN_S)
        phases = [before["phase_index"], *found.ticks(self.copy, since=mended)]
        steps = [after - before for before, after in pairwise(phases)]
        is_slow = len(steps) > 0 and max(steps) <= 1
        return Result(
            is_green=stayed and is_slow,
            sentence=f"{sentence} Then it went on by one phase at a tick at most."
            if is_slow
            else f"{sentence} Then it skipped a phase, or did not go on.",
        )

    def _why(self) -> str:
        if self.fault.kind == "beat-stop":
            return "The alarm, which comes later, was not waited for."
        return found.last_words(self.copy)

    def _is_ready(self) -> bool:
        row = found.rollout(self.copy)
        return (
            bool(row)
            and row["state"] == "ramping"
            and row["phase_index"] >= self.course.phase_index
            and found.persistent_conversations(self.copy) >= _ENOUGH
        )

    def _moves(self, since: datetime) -> list[Decided]:
        made = found.decided(self.copy, since=since)
        return [each for each in made if each.action in self.course.right]

    def _last_persistent(self, decision: Decided) -> tuple[float | None, float | None]:
        begun, ended = found.last_persistent(self.copy)
        return (
            None if begun is None else (begun - decision.at).total_seconds(),
            None if ended is None else (ended - decision.at).total_seconds(),
        )

    def _until(self, check: Callable[[], bool], *, within_s: float) -> bool:
        """Wait, and say what is decided meanwhile.

        Raises: DrillBroken when it never gets as far as the fault, or a process ends.
        """
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            self.copy.require_all()
            self._tell()
            if check():
                return True
            time.sleep(_POLL_S)
        if check == self._is_ready:
            raise DrillBroken(
                f"The copy's rollout did not begin within {within_s:.0f} s: "
                f"{self.copy.said('ticks')}"
            )
        return False

    def _tell(self) -> None:
        made = found.decided(self.copy)
        for each in made[self.told :]:
            self.say(f"{each.action} at {each.percent} %: {each.sentence}")
        self.told = len(made)


def _words(begun_s: float | None, served_s: float | None) -> str:
    if begun_s is None or served_s is None:
        return "nobody was served persistently"
    return (
        f"the last persistent turn was begun {_apart(begun_s)} the decision and ended "
        f"{_apart(served_s)} it"
    )


def _apart(seconds: float) -> str:
    return f"{abs(seconds):.2f} s {'after' if seconds >= 0 else 'before'}"
