"""Plays a rollout again: every tick from its windows and what it saw, nothing else.

What comes out must be what the log says; and another plan can be asked what it would
have done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flags import controller, decisions, judging, replayed_windows
from flags.gates import learning
from flags.gates.knowledge import Knowledge
from flags.judging import Evidence, Judged
from flags.models import Decision, Rollout
from flags.plans import Plan
from flags.readings import Reading
from flags.replayed_windows import Course
from flags.situation import Outcome, Situation, State

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
            judged = judging.judge(
                situation_of(decision, plan), self._knowledge, seen_by(decision)
            )
            self._knowledge = judged.knowledge
            outcome = controller.decide(judged.situation)
            self.tick_count += 1
            self.window_count += len(pairs)
            yield from _compared(decision, judged, outcome)


def replay(rollout: Rollout) -> Iterator[Difference]:
    """Yield what comes out otherwise when a rollout is played again."""
    return Replay(rollout).differences()


def readings_at(decision: Decision) -> list[Reading]:
    """Work out anew what the gates said at a tick: from all windows up to it."""
    rollout = decision.rollout
    plan, course = Plan.of(rollout.plan.body), Course(rollout)
    earlier = rollout.decisions.filter(number__lte=decision.number).defer("readings")
    knowledge = Knowledge()
    for each in earlier.order_by("number").iterator(chunk_size=_CHUNK):
        if is_tick(each):
            pairs = course.learnt(each.inputs["learnt"])
            knowledge = learning.of(pairs, plan, before=knowledge)
            bare = situation_of(each, plan)
            knowledge = judging.see(bare, knowledge, seen_by(each))
    return judging.readings(situation_of(decision, plan), knowledge, seen_by(decision))


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


def situation_of(decision: Decision, plan: Plan) -> Situation:
    """Return what a tick looked at, without the gates' words."""
    return judging.situation_from_json(
        decision.inputs["situation"],
        plan=plan,
        starts_at=decision.rollout.starts_at,
        now=decision.at,
        state=State(decision.state_before),
        percent=decision.percent_before,
    )


def seen_by(decision: Decision) -> Evidence:
    """Return what a tick saw beside the windows."""
    return Evidence.from_json(decision.inputs["seen"], at=decision.at)


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
    yield from _unequal(decision, pairs)
    yield from _of_readings(decision, judged.situation.readings)


def _of_readings(
    decision: Decision, readings: Sequence[Reading]
) -> Iterator[Difference]:
    """Compare them in full where they are kept, and by their SHA-256 everywhere."""
    now = [each.as_json() for each in readings]
    pairs: dict[str, tuple[Any, Any]] = {
        "the SHA-256 of the readings": (
            decision.inputs["readings"]["sha256"],
            decisions.digest(now),
        ),
        "the evidence": (decision.inputs["evidence"], judging.evidence(readings)),
    }
    if decision.readings:
        kept = decisions.comparable(decision.readings)
        pairs["the number of readings"] = (len(kept), len(now))
        for one, other in zip(kept, decisions.comparable(now), strict=False):
            pairs[f"the reading {one['key']}"] = (one, other)
    return _unequal(decision, pairs)


def _unequal(
    decision: Decision, pairs: Mapping[str, tuple[Any, Any]]
) -> Iterator[Difference]:
    for what, (was, now) in pairs.items():
        if was != now:
            yield Difference(
                number=decision.number, what=what, logged=was, replayed=now
            )
