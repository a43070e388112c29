"""From what was learnt and seen to every gate's word: pure, so it can be repeated."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from flags.evidence.moments import Moments
from flags.gates import floors, harms, integrity, success
from flags.gates.knowledge import Knowledge, Sighting
from flags.observations import ArmSummary
from flags.readings import Kind, Reading
from flags.situation import Situation, State

Arms = tuple[ArmSummary, ArmSummary]
_VALUES = ("log_tokens", "log_latency")
# The rollout has two of them, the decision the others.
_ELSEWHERE = {"plan", "starts_at", "now", "state", "percent", "readings"}


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
        """Return what `from_json` makes the same of; it is told the moment again."""
        sighting = self.sighting.as_json()
        del sighting["at"]
        kept = {
            "sighting": sighting,
            "recent": self.recent and [_kept(_means(arm)) for arm in self.recent],
            "phase": self.phase and [_kept(arm) for arm in self.phase],
        }
        return {name: each for name, each in kept.items() if each}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], *, at: datetime) -> Self:
        """Read what was kept. Raises: KeyError, TypeError, ValueError."""
        return cls(
            sighting=Sighting.from_json(kept["sighting"] | {"at": at.isoformat()}),
            recent=_arms(kept.get("recent")),
            phase=_arms(kept.get("phase")),
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """The situation with every gate's word, and what the gates know now."""

    situation: Situation
    knowledge: Knowledge


def judge(situation: Situation, knowledge: Knowledge, seen: Evidence) -> Judged:
    """Ask every gate; `knowledge` has learnt all windows already."""
    knowledge = see(situation, knowledge, seen)
    situation = replace(
        situation,
        readings=readings(situation, knowledge, seen),
        unit_count=knowledge.units_in(situation.phase_index),
    )
    return Judged(situation, knowledge)


def see(situation: Situation, knowledge: Knowledge, seen: Evidence) -> Knowledge:
    """Add what a tick saw beside the windows."""
    knowledge = floors.see(knowledge, seen.sighting)
    if seen.phase is not None and situation.phase_since is not None:
        knowledge = _look(situation, knowledge, seen.phase)
    return knowledge


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
    """Return what is not usual, without what is kept elsewhere (`_ELSEWHERE`)."""
    return {
        each.name: value
        for each in fields(situation)
        if each.name not in _ELSEWHERE
        and (value := getattr(situation, each.name)) != each.default
    }


def situation_from_json(kept: Mapping[str, Any], **elsewhere: Any) -> Situation:
    """Read what was kept, beside what is kept elsewhere (`_ELSEWHERE`).

    Raises: KeyError, TypeError, ValueError.
    """
    moments = {
        name: kept[name] and datetime.fromisoformat(kept[name])
        for name in ("state_since", "phase_since", "halved_at")
        if name in kept
    }
    percent = {"flag_percent": Decimal(kept["flag_percent"])}
    return Situation(**dict(kept) | moments | percent | elsewhere)


def evidence(readings: Iterable[Reading]) -> dict[str, list[float | None]]:
    """Return log10 of the evidence of harm, by gate: now, and the most ever.

    None: there is none. Rounded to a millionth: it is for charts.
    """
    return {
        each.key: [_log10(each.numbers[name]) for name in ("evidence", "peak")]
        for each in readings
        if each.kind is Kind.HARM
    }


def _log10(value: float | None) -> float | None:
    return round(math.log10(value), 6) if value else None


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


def readings(
    situation: Situation, knowledge: Knowledge, seen: Evidence
) -> list[Reading]:
    """Return every gate's word; `knowledge` has seen this tick."""
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
            | {name: Moments(**each[name]) for name in _VALUES if name in each}
        )
        for each in kept
    )
    return treatment, control


def _means(arm: ArmSummary) -> ArmSummary:
    """Return what floors ask of an arm's last minutes."""
    return ArmSummary(
        conversation_count=arm.conversation_count,
        failed_count=arm.failed_count,
        log_latency=replace(arm.log_latency, squares=0.0),
    )


def _kept(values: ArmSummary | Moments) -> dict[str, Any]:
    """Return what is not 0."""
    return {
        each.name: _kept(value) if isinstance(value, Moments) else value
        for each in fields(values)
        if (value := getattr(values, each.name)) not in {0, Moments()}
    }
