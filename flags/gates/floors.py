"""Floors: what is bad enough on its own, without any statistics."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from flags.gates import blame
from flags.gates.floor_words import floor
from flags.gates.knowledge import Knowledge, Sighting
from flags.observations import ArmSummary
from flags.plans import TICK_S, Action, Plan
from flags.readings import Reading, Verdict

IN_A_ROW = 3
_WORST_FIRST = ("unhealthy", "degraded", "healthy")
# Ticks that come sooner make one sighting; a row that was broken off is none.
_APART = timedelta(seconds=TICK_S / 3)
_ROW = timedelta(seconds=IN_A_ROW * 2 * TICK_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What floors are judged by.

    `sightings` are the newest, in order. The arms are what was observed of them in the
    last `floor_window_s` (`observations.Observations.summary`); None: it could not be
    read, which is not "nobody came".
    """

    sightings: tuple[Sighting, ...] = ()
    treatment: ArmSummary | None = None
    control: ArmSummary | None = None
    are_sessions_limited: bool = False


def see(knowledge: Knowledge, sighting: Sighting) -> Knowledge:
    """Add what this tick saw; the three newest are kept.

    What comes too soon joins the one before, which keeps its time: else ticks in quick
    succession would drop each other, and three in a row were never there.
    """
    kept = [
        each for each in knowledge.sightings if -_APART < sighting.at - each.at <= _ROW
    ]
    if kept and sighting.at - kept[-1].at < _APART:
        sighting = _worst(kept.pop(), sighting)
    return replace(knowledge, sightings=(*kept, sighting)[-IN_A_ROW:])


def _worst(one: Sighting, other: Sighting) -> Sighting:
    """Return the worst that is known of both, at the time of the first."""
    used = (one.memory_percent, other.memory_percent)
    return replace(
        one,
        health=_worst_state(one.health, other.health),
        database=_worst_state(one.database, other.database),
        memory_percent=max((each for each in used if each is not None), default=None),
    )


def _worst_state(*states: str | None) -> str | None:
    return next((each for each in _WORST_FIRST if each in states), None)


def readings(facts: Facts, plan: Plan) -> list[Reading]:
    """Return each floor's word, those that roll back first."""
    return [
        _state("health", "The service", facts.sightings, lambda each: each.health),
        _state("database", "The database", facts.sightings, lambda each: each.database),
        *blame.readings(facts.treatment, facts.control, plan),
        _memory(facts, plan.floors),
    ]


def _state(
    key: str,
    name: str,
    sightings: Iterable[Sighting],
    read: Callable[[Sighting], str | None],
) -> Reading:
    states = [read(each) for each in sightings]
    last = states[-1] if states else None
    bad = _run(state == "unhealthy" for state in states)
    if last is None:
        return floor(key, Verdict.NO_DATA, f"{name}'s health is not known.")
    if bad >= IN_A_ROW:
        sentence = f"{name} was unhealthy {IN_A_ROW} times in a row."
        return floor(key, Verdict.FAIL, sentence, action=Action.ROLL_BACK)
    sentence = f"{name} is {last}" + (f", {bad} of {IN_A_ROW} times." if bad else ".")
    return floor(
        key,
        Verdict.PASS,
        sentence,
        action=Action.ROLL_BACK,
        numbers={"unhealthy_count": bad},
    )


def _run(truths: Iterable[bool]) -> int:
    """Return how many are true at the end."""
    length = 0
    for is_true in truths:
        length = length + 1 if is_true else 0
    return length


def _memory(facts: Facts, limits: Mapping[str, float]) -> Reading:
    """Ask for fewer sessions, until the memory has come down well below the limit."""
    most, clear = limits["memory_percent"], limits["memory_clear_percent"]
    used = [each.memory_percent for each in facts.sightings]
    last = used[-1] if used else None
    if last is None:
        return floor("memory", Verdict.NO_DATA, "The memory in use is not known.")
    high = _run(percent is not None and percent > most for percent in used)
    is_still_high = facts.are_sessions_limited and last >= clear
    numbers = {"memory_percent": last, "limit_percent": most, "clear_percent": clear}
    if high >= IN_A_ROW or is_still_high:
        sentence = (
            f"{last:.0f} % of the memory is used; sessions are limited above "
            f"{most:.0f} %, until it is below {clear:.0f} %."
        )
        return floor(
            "memory",
            Verdict.FAIL,
            sentence,
            action=Action.LIMIT_SESSIONS,
            numbers=numbers,
        )
    sentence = f"{last:.0f} % of the memory is used."
    return floor(
        "memory", Verdict.PASS, sentence, action=Action.LIMIT_SESSIONS, numbers=numbers
    )
