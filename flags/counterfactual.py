"""What another plan would have done with a past rollout's traffic.

Who got the feature is as it was: an arm that the other plan would have made larger or
smaller has the conversations that it really had. A rollout that ended early says
nothing about what came after.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from flags import controller, judging, observations, replaying
from flags.evaluation import Variant
from flags.gates import learning
from flags.gates.knowledge import Knowledge
from flags.judging import Arms
from flags.models import Decision, Rollout
from flags.observations import ArmSummary
from flags.plans import Plan
from flags.replayed_windows import Course
from flags.situation import Move, Outcome, Situation, State
from flags.windows import Pair

NOTE = (
    "Who had the feature is as it was, and counted as it was then (length of a window, "
    "what is slow or costly); holds are as they were, and approvals taken as given. "
    "Success is judged by the turns that are still stored."
)
_NEW_PHASE = {Move.BEGIN, Move.ADVANCE, Move.HALVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the other plan would have done at a tick."""

    at: datetime
    outcome: Outcome


def under(rollout: Rollout, plan: Plan) -> Iterator[Step]:
    """Yield what a plan would have done at each tick, until it would have ended."""
    other = _Other(plan)
    course = Course(rollout)
    for decision in replaying.logged(rollout):
        if not replaying.is_tick(decision):
            continue
        yield other.tick(decision, course.learnt(decision.inputs["learnt"]))
        if other.is_over:
            return


def changing(rollout: Rollout, plan: Plan) -> list[Step]:
    """Return only the steps that change something."""
    return [each for each in under(rollout, plan) if each.outcome.move is not Move.NONE]


@dataclass(slots=True)
class _Other:
    """Where the rollout would be under the plan."""

    plan: Plan
    knowledge: Knowledge = field(default_factory=Knowledge)
    _now: Situation | None = None
    _course: list[tuple[datetime, int, Decimal]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self._now is not None and self._now.state is State.ROLLED_BACK

    def tick(self, decision: Decision, pairs: list[Pair]) -> Step:
        logged = replaying.situation_of(decision, self.plan)
        now = self._placed(logged)
        learnt = (moved for pair in pairs if (moved := self._moved(pair)))
        self.knowledge = learning.of(learnt, self.plan, before=self.knowledge)
        seen = replaying.seen_by(decision)
        is_due = judging.due_look(now, self.knowledge) is not None
        seen = replace(seen, phase=_arms(now) if is_due else None)
        judged = judging.judge(now, self.knowledge, seen)
        self.knowledge = judged.knowledge
        outcome = controller.decide(judged.situation)
        self._now = after(now, outcome)
        place = (outcome.phase_index, outcome.percent)
        if not self._course or self._course[-1][1:] != place:
            self._course.append((now.now, *place))
        return Step(at=now.now, outcome=outcome)

    def _placed(self, logged: Situation) -> Situation:
        """Return what was seen then, where the rollout would have been."""
        if self._now is None:
            return replace(
                logged,
                state=State.ARMED,
                phase_index=0,
                percent=Decimal(0),
                flag_percent=Decimal(0),
                phase_since=None,
                halved_at=None,
                persistent_count=None,
                is_approved=True,
            )
        is_back = self._now.state is State.ROLLING_BACK
        return replace(
            self._now,
            now=logged.now,
            holds=logged.holds,
            is_caught_up=logged.is_caught_up,
            are_sessions_limited=logged.are_sessions_limited,
            # That the switch works is not what is asked here.
            persistent_count=0 if is_back else None,
        )

    def _moved(self, pair: Pair) -> Pair | None:
        """Return a window in the phase of the other plan; None: it had none then."""
        held = [each for each in self._course if each[0] <= pair.begin]
        if not held or not held[-1][2]:
            return None
        return replace(pair, phase_index=held[-1][1])


def after(now: Situation, outcome: Outcome) -> Situation:
    """Return the situation once an outcome is carried out, as `flags.acting` does."""
    return replace(
        now,
        state=outcome.state,
        phase_index=outcome.phase_index,
        percent=outcome.percent,
        flag_percent=outcome.percent,
        state_since=now.now if outcome.state != now.state else now.state_since,
        phase_since=now.now if outcome.move in _NEW_PHASE else now.phase_since,
        halved_at=now.now if outcome.is_measure else now.halved_at,
    )


def _arms(now: Situation) -> Arms:
    found = observations.source().summary(
        now.phase_since or now.now, now.now, drawn_since=now.starts_at
    )
    nothing = ArmSummary()
    return found.get(Variant.ON, nothing), found.get(Variant.OFF, nothing)
