"""A rollout that somebody wants something of, and what would become of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from flags import gathering, plan_store
from flags.errors import RolloutRefused
from flags.models import Rollout
from flags.permits import Obstacle
from flags.plans import Plan
from flags.situation import Move, Outcome, Situation, State

CLIMBING = frozenset({State.ARMED, State.RAMPING, State.HELD})
UNDER_WAY = CLIMBING | {State.PAUSED}
_ALWAYS = ("rollback", "kill")
_WAITING = ("hold", "release", "approve")
_UP = ("advance", "pause", *_WAITING)
# What there is to do in each state, in the words of the command.
POSSIBLE: Mapping[State, tuple[str, ...]] = {
    State.ARMED: (*_UP, *_ALWAYS),
    State.RAMPING: (*_UP, "halve", *_ALWAYS),
    State.HELD: (*_UP, "halve", *_ALWAYS),
    State.PAUSED: ("resume", *_WAITING, "halve", *_ALWAYS),
    State.ROLLING_BACK: ("kill",),
    State.ROLLED_BACK: ("start", "kill"),
    State.COMPLETED: ("halve", *_ALWAYS),
}


@dataclass(frozen=True)
class Scene:
    """A rollout as it is when somebody asks for something; `by` is their name."""

    rollout: Rollout
    by: str
    reason: str
    now: datetime

    @property
    def state(self) -> State:
        """Where it is."""
        return State(self.rollout.state)

    @property
    def word(self) -> str:
        """Where it is, in words."""
        return self.rollout.get_state_display().lower()

    @cached_property
    def plan(self) -> Plan:
        """The plan. Raises: InvalidValue for one that can't be read."""
        return plan_store.read_stored(self.rollout.plan)

    @cached_property
    def situation(self) -> Situation:
        """What every gate says at this moment."""
        return gathering.gather(self.rollout, self.now).situation

    def outcome(self, move: Move, sentence: str, **different: Any) -> Outcome:
        """Return an outcome that differs from what is in these things only."""
        as_is = Outcome(
            move=move,
            state=self.state,
            percent=self.rollout.percent,
            phase_index=self.rollout.phase_index,
            sentence=sentence,
        )
        return replace(as_is, **different)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What would become of it. `already`: it is so already, in words; else empty.

    `along` is what has to be stored together with the decision.
    """

    outcome: Outcome
    already: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    readings: Sequence[Mapping[str, Any]] = ()
    obstacles: Sequence[Obstacle] = ()
    along: Callable[[], object] | None = None


def so_already(scene: Scene, words: str) -> Intent:
    """Return that nothing has to be done: the outcome is what is."""
    return Intent(outcome=scene.outcome(Move.NONE, words), already=words)


def require(scene: Scene, verb: str, states: frozenset[State]) -> None:
    """Raises: RolloutRefused, saying what is possible where it is."""
    if scene.state in states:
        return
    rollout = scene.rollout
    raise RolloutRefused(
        f"Rollout {rollout.pk} is {scene.word} at {rollout.percent} %: {verb} is not "
        f"possible there. Possible: {', '.join(POSSIBLE[scene.state])}."
    )
