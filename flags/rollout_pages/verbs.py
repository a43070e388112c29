"""What an operator can do with a rollout, as buttons and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flags.intents.scene import POSSIBLE
from flags.models import Rollout
from flags.plans import Plan
from flags.situation import State


@dataclass(frozen=True, slots=True)
class Verb:
    """A button, the question that its page asks, and what it does.

    `key` is the name in `flags.orders`; `command` that of the command line.
    """

    key: str
    command: str
    button: str
    question: str
    confirm: str
    meaning: str
    is_grave: bool = False


_WATCHED = "Floors and harm gates go on watching."
_VERBS = (
    Verb(
        "advance",
        "advance",
        "Advance…",
        "Go on to the next step now?",
        "Advance",
        "It goes on without waiting for the rest of the phase's time.",
    ),
    Verb(
        "hold",
        "hold",
        "Hold…",
        "Hold it at this percent?",
        "Hold it",
        f"It widens no further until the hold ends or is released. {_WATCHED}",
    ),
    Verb(
        "pause",
        "pause",
        "Pause…",
        "Pause the rollout?",
        "Pause it",
        f"It widens no further until a person resumes it. {_WATCHED}",
    ),
    Verb(
        "resume",
        "resume",
        "Resume…",
        "Resume the rollout?",
        "Resume",
        "It widens by itself again, when the phase has shown what it must and "
        "nothing holds it.",
    ),
    Verb(
        "release",
        "release",
        "Release…",
        "Let go of the hold?",
        "Release",
        "It goes on by itself, unless it is paused or something else holds it.",
    ),
    Verb(
        "request_approval",
        "approve",
        "Ask for approval…",
        "Ask a second person to approve the next phase?",
        "Ask for it",
        "A second person finds it on the rollout's page. Nothing widens before they "
        "approve.",
    ),
    Verb(
        "approve",
        "approve",
        "Approve…",
        "Approve the next phase?",
        "Approve",
        "It may begin by itself, when the phase before it has shown what it must.",
    ),
    Verb(
        "halve",
        "halve",
        "Halve…",
        "Halve the percent?",
        "Halve it",
        f"It stays at half until the gates let it go on. {_WATCHED}",
    ),
    Verb(
        "roll_back",
        "rollback",
        "Roll back…",
        "Roll back to 0 %?",
        "Roll back now",
        "This attempt is over: what comes next is a new one. Answers that are being "
        "written are completed.",
        is_grave=True,
    ),
)
BY_KEY: Mapping[str, Verb] = {each.key: each for each in _VERBS}
# Those beside a hold or a request, where it is seen what they are about.
_ELSEWHERE = {"release", "approve"}


def buttons(rollout: Rollout, plan: Plan) -> Sequence[Verb]:
    """Return what may be done with the rollout as it is now."""
    state = State(rollout.state)
    possible = set(POSSIBLE[state])
    found = [
        each
        for each in _VERBS
        if each.command in possible and each.key not in _ELSEWHERE
    ]
    if not _needs_approval(rollout, plan):
        found = [each for each in found if each.key != "request_approval"]
    return found


def _needs_approval(rollout: Rollout, plan: Plan) -> bool:
    """Tell whether the phase that comes next needs a second person's word."""
    following = next_phase(rollout)
    return following < len(plan.phases) and plan.phases[following].needs_approval


def next_phase(rollout: Rollout) -> int:
    """Return the phase that comes next, from 0; there may be no such phase."""
    has_begun = rollout.phase_since is not None
    return rollout.phase_index + (1 if has_begun else 0)
