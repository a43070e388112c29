"""What others roll back by, as rules that see one window after the other.

Flagger's and Argo's logic as read in their sources (Flagger 1.44, Argo Rollouts 1.10),
asked every five minutes for an error share below 1 %; both are built for canaries of
minutes with much traffic, not for days with little.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Protocol

from flags.gates import floors, harms, learning
from flags.gates.counts import Drawn
from flags.gates.floors import Facts
from flags.gates.knowledge import Knowledge
from flags.observations import ArmCounts, ArmSummary
from flags.plans import Action, Plan
from flags.readings import Verdict

ASK_EVERY_S = 300
_HOUR_S = 3600
_LIMIT = 0.01


class Rule(Protocol):
    """Sees a ramp's windows in order."""

    def fires(self, window: Drawn) -> bool:
        """Take in a window; tell whether the ramp is to be rolled back now."""
        ...


@dataclass(slots=True)
class Ours:
    """The gate that watches errors, and the floor under their share."""

    plan: Plan
    _knowledge: Knowledge = field(default_factory=Knowledge)
    _recent: deque[Drawn] = field(default_factory=deque)

    def fires(self, window: Drawn) -> bool:
        """Ask both as a tick does; without failures in treatment neither can fire."""
        plan = self.plan
        self._knowledge = learning.step(self._knowledge, plan, window)
        self._recent.append(window)
        if len(self._recent) > plan.floors["floor_window_s"] // plan.window_s:
            self._recent.popleft()
        failed = sum(each.treatment.error_count for each in self._recent)
        (gate,) = plan.harms
        state = self._knowledge.harms[gate.key]
        if failed < plan.floors["failed_conversations"]:
            return state.peak * gate.alpha >= 1
        facts = Facts(
            treatment=_summed([each.treatment for each in self._recent]),
            control=_summed([each.control for each in self._recent]),
        )
        return any(
            reading.verdict is Verdict.FAIL and reading.action is Action.ROLL_BACK
            for reading in (
                *harms.readings(self._knowledge, plan),
                *floors.readings(facts, plan),
            )
        )


class _EveryFiveMinutes:
    """Adds windows up and asks at each whole interval."""

    def __init__(self, window_s: int) -> None:
        self._length = max(1, ASK_EVERY_S // window_s)
        self._windows: list[Drawn] = []

    def fires(self, window: Drawn) -> bool:
        self._windows.append(window)
        if len(self._windows) < self._length:
            return False
        windows, self._windows = self._windows, []
        return self.asked(windows)

    def asked(self, windows: list[Drawn]) -> bool:
        raise NotImplementedError


class TenAnHour(_EveryFiveMinutes):
    """The guide's monitor: more than ten errors in the last hour, of the service."""

    def __init__(self, window_s: int) -> None:
        super().__init__(window_s)
        self._hour: deque[int] = deque(maxlen=_HOUR_S // ASK_EVERY_S)

    def asked(self, windows: list[Drawn]) -> bool:
        """Count both arms."""
        failed = [w.treatment.error_count + w.control.error_count for w in windows]
        self._hour.append(sum(failed))
        return sum(self._hour) > 10


class TenPercent(_EveryFiveMinutes):
    """The guide's matrix: more than 10 % errors in treatment in five minutes."""

    def asked(self, windows: list[Drawn]) -> bool:
        """No data is no alarm."""
        share = _share(windows)
        return share is not None and share > 0.10


class FlaggerLike(_EveryFiveMinutes):
    """A check fails above 1 % or without data; the fifth failure of all rolls back."""

    def __init__(self, window_s: int) -> None:
        super().__init__(window_s)
        self._failed = 0

    def asked(self, windows: list[Drawn]) -> bool:
        """A good check takes nothing back."""
        share = _share(windows)
        self._failed += share is None or share > _LIMIT
        return self._failed >= 5


class ArgoLike(_EveryFiveMinutes):
    """A measurement fails above 1 %, no data is passed over; the fourth aborts."""

    def __init__(self, window_s: int) -> None:
        super().__init__(window_s)
        self._failed = 0

    def asked(self, windows: list[Drawn]) -> bool:
        """`failureLimit: 3` in an analysis that runs in the background."""
        share = _share(windows)
        self._failed += share is not None and share > _LIMIT
        return self._failed > 3


class RepeatedZ(_EveryFiveMinutes):
    """A one-sided z-test of both arms over the phase so far, again and again."""

    def __init__(self, window_s: int, *, level: float) -> None:
        super().__init__(window_s)
        self._bound = NormalDist().inv_cdf(1 - level)
        self._phase: int | None = None
        self._sums = [0, 0, 0, 0]

    def asked(self, windows: list[Drawn]) -> bool:
        """Pool what there is of this phase."""
        for window in windows:
            if window.phase_index != self._phase:
                self._phase, self._sums = window.phase_index, [0, 0, 0, 0]
            ours, theirs = window.treatment, window.control
            for place, count in enumerate(
                (
                    ours.conversation_count,
                    ours.error_count,
                    theirs.conversation_count,
                    theirs.error_count,
                )
            ):
                self._sums[place] += count
        n_t, x_t, n_c, x_c = self._sums
        pooled = (x_t + x_c) / max(1, n_t + n_c)
        if not n_t or not n_c or not 0 < pooled < 1:
            return False
        error = math.sqrt(pooled * (1 - pooled) * (1 / n_t + 1 / n_c))
        return (x_t / n_t - x_c / n_c) / error > self._bound


RULES: dict[str, Callable[[Plan], Rule]] = {
    "ours": Ours,
    "guide: > 10 errors an hour": lambda plan: TenAnHour(plan.window_s),
    "guide: > 10 % in 5 minutes": lambda plan: TenPercent(plan.window_s),
    "Flagger-like, threshold 5": lambda plan: FlaggerLike(plan.window_s),
    "Argo-like, failureLimit 3": lambda plan: ArgoLike(plan.window_s),
    "repeated z-tests, 5 %": lambda plan: RepeatedZ(plan.window_s, level=0.05),
    "repeated z-tests, 1 %": lambda plan: RepeatedZ(plan.window_s, level=0.01),
}


def _share(windows: list[Drawn]) -> float | None:
    count = sum(window.treatment.conversation_count for window in windows)
    failed = sum(window.treatment.error_count for window in windows)
    return failed / count if count else None


def _summed(arms: list[ArmCounts]) -> ArmSummary:
    failed = sum(each.error_count for each in arms)
    return ArmSummary(
        conversation_count=sum(each.conversation_count for each in arms),
        failed_count=failed,
    )
