"""What a tick knows of a rollout, and what it may make of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from flags.plans import Plan
from flags.readings import Reading


class State(StrEnum):
    """Where a rollout is; the same words as in its row."""

    ARMED = "armed"
    RAMPING = "ramping"
    HELD = "held"
    PAUSED = "paused"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    COMPLETED = "completed"


class Move(StrEnum):
    """What a tick does, or a person; the last four only a person."""

    NONE = "none"
    BEGIN = "begin"
    ADVANCE = "advance"
    COMPLETE = "complete"
    HOLD = "hold"
    GO_ON = "go_on"
    HALVE = "halve"
    PAUSE = "pause"
    LIMIT_SESSIONS = "limit_sessions"
    ROLL_BACK = "roll_back"
    CONFIRM = "confirm"
    ESCALATE = "escalate"
    RESUME = "resume"
    RELEASE = "release"
    REQUEST_APPROVAL = "request_approval"
    APPROVE = "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that a tick looks at.

    `flag_percent` is what the flag really gives, 0 while it is off. `persistent_count`
    are the turns begun persistently since the state was entered; None: not asked.
    `is_look_unread`: success was to be judged now, and its turns could not be read.
    `are_sessions_limited`: the limit for little memory is in force already;
    `limits_refusal`: why it can't be, in words. `switched_off_by`: who switched the
    flag off since the rollout was started.
    """

    now: datetime
    plan: Plan
    state: State
    phase_index: int
    percent: Decimal
    state_since: datetime
    phase_since: datetime | None
    starts_at: datetime
    flag_percent: Decimal
    readings: Sequence[Reading] = ()
    holds: Sequence[str] = ()
    unit_count: int = 0
    is_approved: bool = True
    is_caught_up: bool = True
    is_look_unread: bool = False
    are_sessions_limited: bool = False
    limits_refusal: str = ""
    switched_off_by: str = ""
    halved_at: datetime | None = None
    persistent_count: int | None = None

    @property
    def is_exposed(self) -> bool:
        """Whether anybody may get the feature."""
        return self.flag_percent > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What to do, where that leads, and why, in one sentence.

    `is_measure`: it is done against harm, so that the next measure waits. A pause that
    has another reason is none: it must not put off what gates would do.
    """

    move: Move
    state: State
    percent: Decimal
    phase_index: int
    sentence: str
    is_measure: bool = False


def to(now: Situation, move: Move, state: State, why: str) -> Outcome:
    """Go to a state, at the same percent and in the same phase."""
    return Outcome(
        move=move,
        state=state,
        percent=now.percent,
        phase_index=now.phase_index,
        sentence=why,
    )


def stay(now: Situation, why: str) -> Outcome:
    """Change nothing."""
    return to(now, Move.NONE, now.state, why)
