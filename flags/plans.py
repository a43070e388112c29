"""How a rollout is meant to go, as data: phases, gates, and what is held against them.

A plan is never edited once a rollout follows it; a change is a new version.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, Self

from flags import plan_kinds

HOUR_S, DAY_S = 3600, 86_400
TICK_S = 30


class Action(StrEnum):
    """What a gate that fails asks for, from the mildest to the hardest."""

    HOLD = "hold"
    LIMIT_SESSIONS = "limit_sessions"
    HALVE = "halve"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """Treatment must not be worse than control in the share of such conversations.

    `alpha` is the probability of a false alarm over the whole ramp, of this gate;
    `margin` the odds ratio that is still no harm.
    """

    key: str
    event: str
    alpha: float
    margin: float = 1.25
    action: Action = Action.ROLL_BACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """What a phase must show before the next one: a metric beyond a threshold.

    `is_above`: whether more is better. One that is not required is shown only.
    """

    key: str
    metric: str
    threshold: float
    is_above: bool
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """So many of 100 conversations, for so long, until so much is known.

    `unit_count` is how many treatment conversations must have been seen; `looks` are
    the shares of the dwell at which success is judged, the last of them 1.
    """

    percent: Decimal
    dwell_s: int
    unit_count: int
    looks: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    success: tuple[Success, ...] = ()
    needs_approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole ramp. `holdback_percent` stay in control until it is completed.

    `slow_ms` and `costly_tokens` (billed-equivalent prompt tokens) are above which mean
    of its turns in a window a conversation counts as slow or costly.
    """

    name: str
    version: int
    phases: tuple[Phase, ...]
    harms: tuple[Harm, ...]
    holdback_percent: Decimal = Decimal(5)
    success_alpha: float = 0.05
    ratio_alpha: float = 0.001
    max_extension_s: int = 7 * DAY_S
    window_s: int = 2 * TICK_S
    slow_ms: float = 3000.0
    costly_tokens: float = 20_000.0
    floors: Mapping[str, float] = field(
        default_factory=lambda: {
            "error_ratio": 0.10,
            "failed_conversations": 5,
            "control_error_ratio": 0.05,
            "floor_window_s": 600,
            "memory_percent": 90.0,
            "memory_clear_percent": 80.0,
        }
    )

    def alpha(self, action: Action) -> float:
        """Return how probable it is that a whole ramp sees this action for nothing."""
        return sum(harm.alpha for harm in self.harms if harm.action is action)

    @property
    def digest(self) -> str:
        """What tells two plans apart, whatever they are called."""
        return hashlib.sha256(self.to_text().encode()).hexdigest()

    def percent_of(self, index: int) -> Decimal:
        """Return what is set in a phase: the holdback never gets the feature there."""
        return min(self.phases[index].percent, 100 - self.holdback_percent)

    def to_text(self) -> str:
        """Return the plan as JSON, always in the same bytes."""
        return json.dumps(asdict(self), sort_keys=True, default=str)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Return the plan that JSON stands for. Raises: ValueError, saying where."""
        try:
            fields = dict(body)
            phases = tuple(_phase(each) for each in fields.pop("phases"))
            harms = tuple(_harm(each) for each in fields.pop("harms"))
            if "holdback_percent" in fields:
                fields["holdback_percent"] = Decimal(str(fields["holdback_percent"]))
            return cls(phases=phases, harms=harms, **fields)
        except KeyError as error:
            raise ValueError(f"{error.args[0]} is missing in the plan.") from error
        except (TypeError, ArithmeticError) as error:
            raise ValueError(f"This is no plan: {error}.") from error


def _phase(body: Mapping[str, Any]) -> Phase:
    fields = dict(body)
    fields["percent"] = Decimal(str(fields["percent"]))
    fields["looks"] = tuple(
        fields.get("looks", Phase.__dataclass_fields__["looks"].default)
    )
    fields["success"] = tuple(Success(**each) for each in fields.get("success", ()))
    return Phase(**fields)


def _harm(body: Mapping[str, Any]) -> Harm:
    fields = dict(body)
    fields["action"] = Action(fields.get("action", Action.ROLL_BACK))
    return Harm(**fields)


_LIMITS: Mapping[str, tuple[float, float]] = {
    "version": (1, 1_000_000),
    "holdback_percent": (0, 50),
    "success_alpha": (1e-6, 0.2),
    "ratio_alpha": (1e-6, 0.2),
    "slow_ms": (1, 3_600_000),
    "costly_tokens": (1, 1e9),
    "max_extension_s": (1, 365 * DAY_S),
}


def faults(plan: Plan) -> list[str]:
    """Return which kinds, ranges and orders are wrong in a plan, a sentence each."""
    return [*plan_kinds.faults(plan)] or [
        *_faults_of_phases(plan.phases),
        *_faults_of_harms(plan.harms),
        *_faults_of_limits(plan),
    ]


def _faults_of_limits(plan: Plan) -> list[str]:
    found = [
        f"{name} is {getattr(plan, name)}: {least:g} to {most:g} is possible."
        for name, (least, most) in _LIMITS.items()
        if not least <= getattr(plan, name) <= most
    ]
    if plan.window_s < 1 or DAY_S % plan.window_s:
        found.append(f"window_s is {plan.window_s}: a whole part of a day is needed.")
    return found


def _faults_of_phases(phases: Sequence[Phase]) -> list[str]:
    if not phases:
        return ["There are no phases: one at least is needed."]
    found = []
    for number, phase in enumerate(phases, start=1):
        if not 0 < phase.percent <= 100:
            found.append(
                f"Phase {number} is at {phase.percent} %: above 0 and up to 100 is "
                f"possible."
            )
        if phase.dwell_s < TICK_S:
            found.append(
                f"Phase {number} lasts {phase.dwell_s} s: {TICK_S} s is the shortest."
            )
        looks = [0, *phase.looks]
        if looks != sorted(set(looks)) or looks[-1] != 1:
            found.append(
                f"Phase {number} has the looks {list(phase.looks)}: shares of its "
                f"time that grow and end with 1 are needed."
            )
    for number, (one, next_one) in enumerate(pairwise(phases), 1):
        if next_one.percent <= one.percent:
            found.append(
                f"Phase {number + 1} is at {next_one.percent} %, which is not above "
                f"the {one.percent} % of phase {number}."
            )
    return found


def _faults_of_harms(harms: Sequence[Harm]) -> list[str]:
    found = [
        f"The harm gate {harm.key} has alpha {harm.alpha}: 0.000001 or more and below "
        f"0.1 is possible."
        for harm in harms
        if not 1e-6 <= harm.alpha < 0.1
    ]
    found += [
        f"The harm gate {harm.key} has the margin {harm.margin}: 1 to 5 is possible."
        for harm in harms
        if not 1 <= harm.margin <= 5
    ]
    if ("error", Action.ROLL_BACK) not in {(each.event, each.action) for each in harms}:
        found.append("No harm gate watches errors and rolls back: one is needed.")
    if len({harm.key for harm in harms}) < len(harms):
        found.append("Two harm gates have the same key.")
    return found


# Rolling back falsely may happen in 1 % of ramps, halving falsely in another 1 %; most
# of it is for errors, which must be found first.
_HARMS = (
    Harm(key="errors", event="error", alpha=0.009),
    Harm(key="empty_answers", event="blank", alpha=0.0005),
    Harm(key="thumbs_down", event="disliked", alpha=0.0005),
    Harm(key="slow_answers", event="slow", alpha=0.005, action=Action.HALVE),
    Harm(key="costly_turns", event="costly", alpha=0.005, action=Action.HALVE),
)


def _hits(ratio: float) -> Success:
    return Success(
        key="session_hits", metric="session_hit_ratio", threshold=ratio, is_above=True
    )


def _sooner(*, is_required: bool) -> Success:
    return Success(
        key="sooner",
        metric="response_time_reduction",
        threshold=0.20,
        is_above=True,
        is_required=is_required,
    )


_FEWER_TOKENS = Success(
    key="fewer_tokens", metric="billed_token_reduction", threshold=0.40, is_above=True
)
_FEW_ERRORS = Success(
    key="few_errors", metric="error_ratio", threshold=0.01, is_above=False
)
_SATISFIED = Success(
    key="satisfied",
    metric="dislike_ratio",
    threshold=0.02,
    is_above=False,
    is_required=False,
)


def _phase_of(percent: int, hours: int, unit_count: int, *success: Success) -> Phase:
    return Phase(
        percent=Decimal(percent),
        dwell_s=hours * HOUR_S,
        unit_count=unit_count,
        success=success,
    )


_LATER = (_FEW_ERRORS, _hits(0.60), _FEWER_TOKENS, _sooner(is_required=True))

# The earlier edition's ramp. Its speed criterion can't be decided at 1 %: shown only.
# The unit counts give about 90 % power for a jump of 0.5 % errors by 10, 4, 3 and 2.
GUIDE = Plan(
    name="guide",
    version=1,
    phases=(
        _phase_of(1, 24, 300, _hits(0.50), _sooner(is_required=False)),
        _phase_of(10, 48, 1400, _FEW_ERRORS, _hits(0.60), _FEWER_TOKENS, _SATISFIED),
        _phase_of(25, 24, 3200, *_LATER),
        _phase_of(50, 24, 15_000, *_LATER),
        _phase_of(75, 24, 15_000, *_LATER),
        _phase_of(100, 72, 15_000, *_LATER),
    ),
    harms=_HARMS,
)
