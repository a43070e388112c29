"""Plays a rollout again: every tick from its windows and what it saw, nothing else.

What comes out must be what the log says; and another plan can be asked what it would
have done.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flags import controller, decisions, judging, replayed_windows
from flags.gates import learning
from flags.gates.knowledge import Knowledge
from flags.judging import Evidence, Judged
from flags.models import Decision, Rollout
from flags.plans import Plan
from flags.replayed_windows import Course
from flags.situation import Outcome

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that a decision says and its replay does not."""

    number: int
    what: str
    logged: Any
    replayed: Any

    def __str__(self) -> str:
        return (
            f"Decision {self.number}: {self.what} is {self.logged!r} in the log, and "
            f"{self.replayed!r} when it is played again."
        )


@dataclass(slots=True)
class Replay:
    """Goes through the log once. `tick_count` ticks were played so far."""

    rollout: Rollout
    tick_count: int = 0
    window_count: int = 0
    _knowledge: Knowledge = field(default_factory=Knowledge)

    def differences(self) -> Iterator[Difference]:
        """Yield what comes out otherwise; nothing: it is the same to the last bit."""
        plan = Plan.of(self.rollout.plan.body)
        course = Course(self.rollout)
        for decision in logged(self.rollout):
            if not is_tick(decision):
                continue
            pairs = course.learnt(decision.inputs["learnt"])
            self._knowledge = learning.of(pairs, plan, before=self._knowledge)
            judged = _judged(decision, plan, self._knowledge)
            self._knowledge = judged.knowledge
            outcome = controller.decide(judged.situation)
            self.tick_count += 1
            self.window_count += len(pairs)
            yield from _compared(decision, judged, outcome)


def replay(rollout: Rollout) -> Iterator[Difference]:
    """Yield what comes out otherwise when a rollout is played again."""
    return Replay(rollout).differences()


def relearnt(rollout: Rollout) -> Knowledge:
    """Return what the gates learn from all windows of a rollout, without its ticks."""
    plan = Plan.of(rollout.plan.body)
    return learning.of(replayed_windows.every(rollout), plan)


def logged(rollout: Rollout) -> Iterator[Decision]:
    """Yield a rollout's decisions, in order."""
    return rollout.decisions.order_by("number").iterator(chunk_size=_CHUNK)


def is_tick(decision: Decision) -> bool:
    """Tell whether a tick decided; a person's word is no matter of gates."""
    return "situation" in decision.inputs


def _judged(decision: Decision, plan: Plan, knowledge: Knowledge) -> Judged:
    inputs = decision.inputs
    bare = judging.situation_from_json(inputs["situation"], plan)
    return judging.judge(bare, knowledge, Evidence.from_json(inputs["seen"]))


def _compared(
    decision: Decision, judged: Judged, outcome: Outcome
) -> Iterator[Difference]:
    pairs = {
        "action": (decision.action, str(outcome.move)),
        "state_after": (decision.state_after, str(outcome.state)),
        "percent_after": (decision.percent_after, outcome.percent),
        "phase_index": (decision.phase_index, outcome.phase_index),
        "sentence": (decision.sentence, outcome.sentence),
    }
    for what, (was, now) in pairs.items():
        if was != now:
            yield Difference(
                number=decision.number, what=what, logged=was, replayed=now
            )
    words = [each.as_json() for each in judged.situation.readings]
    if words == decision.readings:
        return
    was, now = (decisions.comparable(each) for each in (decision.readings, words))
    if was != now:
        for one, other in zip(was, now, strict=False):
            if one != other:
                yield Difference(
                    number=decision.number,
                    what=f"the reading {one['key']}",
                    logged=one,
                    replayed=other,
                )
        if len(was) != len(now):
            yield Difference(
                number=decision.number,
                what="the number of readings",
                logged=len(was),
                replayed=len(now),
            )
