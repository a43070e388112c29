"""From what was learnt and seen to every gate's word: pure, so it can be repeated."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from flags.evidence.moments import Moments
from flags.gates import floors, harms, integrity, success
from flags.gates.knowledge import Knowledge, Sighting
from flags.observations import ArmSummary
from flags.plans import Plan
from flags.readings import Reading
from flags.situation import Situation, State

Arms = tuple[ArmSummary, ArmSummary]
_MOMENTS = ("starts_at", "state_since", "phase_since", "halved_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a tick saw beside the windows; arms are treatment and control.

    `recent` is of the last minutes, for the floors; None: it could not be read.
    `phase` is of the whole phase so far, where a look was due; None: none was.
    """

    sighting: Sighting
    recent: Arms | None = None
    phase: Arms | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same of."""
        return {
            "sighting": self.sighting.as_json(),
            "recent": self.recent and [asdict(arm) for arm in self.recent],
            "phase": self.phase and [asdict(arm) for arm in self.phase],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read what was kept. Raises: KeyError, TypeError, ValueError."""
        return cls(
            sighting=Sighting.from_json(kept["sighting"]),
            recent=_arms(kept["recent"]),
            phase=_arms(kept["phase"]),
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """The situation with every gate's word, and what the gates know now."""

    situation: Situation
    knowledge: Knowledge


def judge(situation: Situation, knowledge: Knowledge, seen: Evidence) -> Judged:
    """Ask every gate; `knowledge` has learnt all windows already."""
    knowledge = floors.see(knowledge, seen.sighting)
    if seen.phase is not None and situation.phase_since is not None:
        knowledge = _look(situation, knowledge, seen.phase)
    situation = replace(
        situation,
        readings=_readings(situation, knowledge, seen),
        unit_count=knowledge.units_in(situation.phase_index),
    )
    return Judged(situation, knowledge)


def due_look(situation: Situation, knowledge: Knowledge) -> int | None:
    """Return the look at success that is to be taken now; None: none is."""
    is_climbing = situation.state in {State.RAMPING, State.HELD}
    if not is_climbing or situation.phase_since is None:
        return None
    return success.due(
        situation.plan,
        situation.phase_index,
        phase_since=situation.phase_since,
        now=situation.now,
        taken=knowledge.judged_in(
            situation.phase_index, situation.phase_since
        ).next_look,
    )


def situation_as_json(situation: Situation) -> dict[str, Any]:
    """Return all but plan and readings, which are kept elsewhere."""
    kept = {name: getattr(situation, name) for name in situation.__slots__}
    del kept["plan"], kept["readings"]
    return kept


def situation_from_json(kept: Mapping[str, Any], plan: Plan) -> Situation:
    """Read what was kept. Raises: KeyError, TypeError, ValueError."""
    fields = dict(kept)
    for name in ("now", *_MOMENTS):
        fields[name] = fields[name] and datetime.fromisoformat(fields[name])
    for name in ("percent", "flag_percent"):
        fields[name] = Decimal(fields[name])
    return Situation(**fields | {"plan": plan, "state": State(fields["state"])})


def _look(situation: Situation, knowledge: Knowledge, arms: Arms) -> Knowledge:
    look = due_look(situation, knowledge)
    if look is None or situation.phase_since is None:
        return knowledge
    treatment, control = arms
    facts = success.Facts(
        phase_index=situation.phase_index,
        elapsed_s=(situation.now - situation.phase_since).total_seconds(),
        treatment=treatment,
        control=control,
        since=situation.phase_since,
    )
    return success.judge(knowledge, situation.plan, facts, look=look)


def _readings(
    situation: Situation, knowledge: Knowledge, seen: Evidence
) -> list[Reading]:
    plan = situation.plan
    treatment, control = seen.recent or (None, None)
    facts = floors.Facts(
        sightings=knowledge.sightings,
        treatment=treatment,
        control=control,
        are_sessions_limited=situation.are_sessions_limited,
    )
    return [
        *floors.readings(facts, plan),
        *harms.readings(knowledge, plan),
        *integrity.readings(knowledge, plan),
        *success.readings(knowledge, situation.phase_index, situation.phase_since),
    ]


def _arms(kept: list[Mapping[str, Any]] | None) -> Arms | None:
    if not kept:
        return None
    treatment, control = (
        ArmSummary(
            **dict(each)
            | {name: Moments(**each[name]) for name in ("log_tokens", "log_latency")}
        )
        for each in kept
    )
    return treatment, control
