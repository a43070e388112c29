"""What an operator can do with a rollout, as buttons and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flags.intents.scene import POSSIBLE
from flags.models import Rollout
from flags.plans import Plan
from flags.situation import State


@dataclass(frozen=True, slots=True)
class Verb:
    """A button, and the question that its page asks.

    `key` is the name in `flags.orders`; `command` that of the command line.
    """

    key: str
    command: str
    button: str
    question: str
    confirm: str
    is_grave: bool = False


_VERBS = (
    Verb("advance", "advance", "Advance…", "Go on to the next step now?", "Advance"),
    Verb("hold", "hold", "Hold…", "Hold it at this percent?", "Hold it"),
    Verb("resume", "resume", "Resume…", "Resume the rollout?", "Resume"),
    Verb("release", "release", "Release…", "Let go of the hold?", "Release"),
    Verb(
        "request_approval",
        "approve",
        "Ask for approval…",
        "Ask a second person to approve the next phase?",
        "Ask for it",
    ),
    Verb("approve", "approve", "Approve…", "Approve the next phase?", "Approve"),
    Verb("halve", "halve", "Halve…", "Halve the percent?", "Halve it"),
    Verb(
        "roll_back",
        "rollback",
        "Roll back…",
        "Roll back to 0 %?",
        "Roll back now",
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
    has_begun = rollout.phase_since is not None
    following = rollout.phase_index + (1 if has_begun else 0)
    return following < len(plan.phases) and plan.phases[following].needs_approval
