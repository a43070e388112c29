"""What states, gates and verdicts are called on the pages."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flags.gates import words
from flags.plans import Action
from flags.readings import Kind, Reading, Verdict
from flags.situation import Move, State

SPACE = "\u00a0"  # keeps a number and its unit on one line

STATES: Mapping[str, str] = {
    State.ARMED: "ARMED",
    State.RAMPING: "RAMPING",
    State.HELD: "HELD",
    State.PAUSED: "PAUSED",
    State.ROLLING_BACK: "ROLLING BACK",
    State.ROLLED_BACK: "ROLLED BACK",
    State.COMPLETED: "COMPLETE",
}
# What a tick does next there, in a sentence.
MEANINGS: Mapping[str, str] = {
    State.ARMED: "Nobody is exposed yet. It begins by itself at its time.",
    State.RAMPING: "It widens by itself when the phase has shown what it must.",
    State.HELD: "It stays at this percent until the obstacle is gone, then goes on by "
    "itself. Floors and harm gates go on watching.",
    State.PAUSED: "It stays at this percent until a person resumes it. Floors and harm "
    "gates go on watching.",
    State.ROLLING_BACK: "The percent is 0. It is over once no turn is begun with a "
    "persistent session any more.",
    State.ROLLED_BACK: "Nobody is exposed. What comes next is a new attempt.",
    State.COMPLETED: "Everybody is exposed, so there is no control to compare with. "
    "Health, database and memory are watched for another week.",
}
VERDICTS: Mapping[str, str] = {
    Verdict.PASS: "Passes",
    Verdict.FAIL: "Fails",
    Verdict.NOT_YET: "Not yet",
    Verdict.NO_DATA: "No data",
}
KINDS: Mapping[str, tuple[str, str]] = {
    Kind.HARM: (
        "Harm",
        "Is treatment worse than control? Always watching; acts at once.",
    ),
    Kind.FLOOR: ("Floors", "Is it bad enough on its own, without any comparison?"),
    Kind.INTEGRITY: ("Integrity", "Do as many get it as was set?"),
    Kind.SUCCESS: (
        "Success",
        "Has the phase shown what it must? Judged at the planned looks.",
    ),
}
ACTIONS: Mapping[str, str] = {
    Move.NONE: "Stayed",
    Move.BEGIN: "Began",
    Move.ADVANCE: "Widened",
    Move.COMPLETE: "Completed",
    Move.HOLD: "Held",
    Move.GO_ON: "Went on",
    Move.HALVE: "Halved",
    Move.PAUSE: "Paused",
    Move.LIMIT_SESSIONS: "Limited sessions",
    Move.ROLL_BACK: "Rolled back",
    Move.CONFIRM: "Confirmed",
    Move.ESCALATE: "Escalated",
    Move.RESUME: "Resumed",
    Move.RELEASE: "Released",
    Move.REQUEST_APPROVAL: "Approval asked for",
    Move.APPROVE: "Approved",
}
MOVED = [each for each in Move if each is not Move.NONE]
# What a gate that fails does.
DOES: Mapping[str, str] = {
    Action.HOLD: "holds",
    Action.LIMIT_SESSIONS: "limits sessions",
    Action.HALVE: "halves",
    Action.ROLL_BACK: "rolls back",
}
# What gates are about, where their key alone would not say it.
_NAMES: Mapping[str, str] = {
    "session_hits": "Sessions found live",
    "fewer_tokens": "Fewer billed tokens",
    "sooner": "Sooner answers",
    "satisfied": "Few disliked answers",
    "sample_ratio": "Share that gets it",
}


def percent(number: Decimal | float) -> str:
    """Return a percent as a person writes it: 10 %, 0.25 %."""
    text = f"{Decimal(str(number)):.2f}".rstrip("0").rstrip(".")
    return f"{text}{SPACE}%"


def action(name: str) -> str:
    """Return what a decision did, in a word or two."""
    return ACTIONS.get(name, label(name))


def label(key: str) -> str:
    """Return a gate's key as a person would write it."""
    return _NAMES.get(key) or key.replace("_", " ").capitalize()


def consequence(reading: Reading) -> str:
    """Return what becomes of the rollout when this gate fails."""
    if not reading.is_required:
        return "shown only"
    if reading.kind is Kind.SUCCESS:
        return "stays in the phase"
    return DOES[reading.action]


def limits(
    least: float | Decimal, most: float | Decimal | None = None
) -> dict[str, Any]:
    """Return what a number's field takes for these limits, with words for each."""
    told = {"min_value": f"{least:,} or more is needed."}
    if most is not None:
        told["max_value"] = f"{most:,} or less is possible."
    return {"min_value": least, "max_value": most, "error_messages": told}


def span(seconds: float) -> str:
    """Return a time with its unit, rounded for people."""
    return words.span(seconds).replace(" ", SPACE)


def moment(at: datetime) -> str:
    """Return a moment in UTC."""
    return f"{at:%d %b %Y, %H:%M} UTC".lstrip("0")


def is_stale(ticked_at: datetime | None, now: datetime) -> bool:
    """Tell whether nobody has looked for so long that somebody must be told."""
    return ticked_at is not None and now - ticked_at > timedelta(minutes=5)
