"""A decision in words: where it was, what fired, the counts, what is needed."""

from collections.abc import Iterator
from typing import Any

from flags.gates import words
from flags.models import Decision
from flags.readings import Kind, Reading, Verdict
from flags.recalling import Recalled

_HEADINGS = {
    Kind.FLOOR: "Floors",
    Kind.HARM: "Harm",
    Kind.INTEGRITY: "Integrity",
    Kind.SUCCESS: "Success",
}
_VERDICTS = {
    Verdict.PASS: "passes",
    Verdict.FAIL: "FAILS",
    Verdict.NOT_YET: "not yet",
    Verdict.NO_DATA: "no data",
}


def explain(decision: Decision, recalled: Recalled) -> str:
    """Return it, and what the gates said, in lines of plain words."""
    return "\n".join(_lines(decision, recalled))


def _lines(decision: Decision, recalled: Recalled) -> Iterator[str]:
    yield (
        f"Decision {decision.number} of rollout {decision.rollout_id}, "
        f"{decision.at:%Y-%m-%d %H:%M:%S} UTC, by {decision.actor} "
        f"({decision.channel}), release {decision.release}"
    )
    yield f"What: {decision.action.replace('_', ' ')}. {decision.sentence}"
    if decision.reason:
        yield f"Why: {decision.reason}"
    yield (
        f"State: {_words(decision.state_before)} → {_words(decision.state_after)}, "
        f"{decision.percent_before} → {decision.percent_after} %, phase "
        f"{decision.phase_index + 1}"
    )
    yield from _situation(decision.inputs)
    found = recalled.readings
    if recalled.note:
        yield recalled.note
    firing = [each for each in found if each.is_firing]
    if firing:
        yield "Fired: " + ", ".join(
            f"{each.key} (asks to {_words(each.action)})" for each in firing
        )
    for kind, heading in _HEADINGS.items():
        of_kind = [each for each in found if each.kind is kind]
        if of_kind:
            yield f"{heading}:"
            yield from (f"  {_reading(each)}" for each in of_kind)
    yield f"Hash: {decision.hash}"


def _situation(inputs: dict[str, Any]) -> Iterator[str]:
    if overridden := inputs.get("overridden"):
        yield f"Overridden: {', '.join(overridden)}"
    seen = inputs.get("situation")
    if not seen:
        return
    yield f"The flag gave {seen['flag_percent']} %."
    for hold in seen.get("holds", []):
        yield f"{hold}."
    if not seen.get("is_caught_up", True):
        yield "The windows were not counted up to then."
    if learnt := inputs.get("learnt"):
        yield f"New windows, up to {learnt[0]}"


def _reading(reading: Reading) -> str:
    rest = ""
    if reading.needed_count:
        time = f", about {words.span(reading.needed_s)}" if reading.needed_s else ""
        rest = f" [needs about {reading.needed_count:,} more conversations{time}]"
    shown = "" if reading.is_required else " (shown only)"
    return (
        f"{reading.key} {_VERDICTS[reading.verdict]}{shown}: {reading.sentence}{rest}"
    )


def _words(text: str) -> str:
    return str(text).replace("_", " ")
