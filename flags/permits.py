"""What stands between a rollout and its next step, where a person asks for it."""

from collections.abc import Iterator
from dataclasses import dataclass

from flags import controller
from flags.readings import Kind, Reading, Verdict
from flags.situation import Situation, State

INFORMATION = "information"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Something that speaks against a step; a person may override some, by key."""

    key: str
    sentence: str
    is_overridable: bool = True


def obstacles(now: Situation) -> list[Obstacle]:
    """Return all of them, those that nobody may override first.

    Time is none: who asks does not want to wait for it.
    """
    found = [*_in_the_way(now), *_unproved(now)]
    return sorted(found, key=lambda each: each.is_overridable)


def _in_the_way(now: Situation) -> Iterator[Obstacle]:
    """Yield what a person has to clear away first."""
    for each in now.readings:
        if each.kind in {Kind.FLOOR, Kind.HARM} and each.verdict is Verdict.FAIL:
            yield Obstacle(key=each.key, sentence=each.sentence, is_overridable=False)
    for words in now.holds:
        yield Obstacle(key="hold", sentence=f"{words}.", is_overridable=False)
    up = controller.ascend(now)
    is_new = up.phase_index != now.phase_index or now.state is State.ARMED
    for words in controller.unapproved_phase(now, up.phase_index) if is_new else []:
        yield Obstacle(key="approval", sentence=words, is_overridable=False)
    if not now.is_caught_up:
        yield Obstacle(
            key="windows",
            sentence="The windows are not counted up to now: does the worker run?",
            is_overridable=False,
        )
    if now.switched_off_by:
        yield Obstacle(
            key="kill",
            sentence=f"{now.switched_off_by} switched the flag off before it began.",
            is_overridable=False,
        )
    if now.flag_percent != now.percent:
        yield Obstacle(
            key="percent",
            sentence=(
                f"The flag gives {now.flag_percent} %, where the rollout has "
                f"{now.percent} %."
            ),
            is_overridable=False,
        )


def _unproved(now: Situation) -> Iterator[Obstacle]:
    """Yield what has not been shown yet."""
    for each in now.readings:
        if each.is_required and _is_open(each):
            yield Obstacle(key=each.key, sentence=each.sentence)
    if now.state is State.ARMED:
        return
    phase = now.plan.phases[now.phase_index]
    if now.unit_count < phase.unit_count:
        yield Obstacle(
            key=INFORMATION,
            sentence=(
                f"Phase {now.phase_index + 1} needs {phase.unit_count:,} treatment "
                f"conversations and has {now.unit_count:,}."
            ),
        )
    judged = {each.key for each in now.readings if each.kind is Kind.SUCCESS}
    for gate in phase.success:
        if gate.is_required and gate.key not in judged:
            name = gate.key.replace("_", " ").capitalize()
            sentence = f"{name} has not been looked at yet."
            yield Obstacle(key=gate.key, sentence=sentence)


def _is_open(reading: Reading) -> bool:
    match reading.kind:
        case Kind.SUCCESS:
            return reading.verdict is not Verdict.PASS
        case Kind.INTEGRITY:
            return reading.verdict is Verdict.FAIL
        case Kind.FLOOR:
            return reading.verdict is Verdict.NO_DATA
        case _:
            return False
