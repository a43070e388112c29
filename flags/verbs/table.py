"""All verbs of `manage.py rollout`, in the order in which people need them."""

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from flags import console
from flags.verbs import (
    drill,
    explain,
    kill,
    ordering,
    percent,
    plan,
    replay,
    simulate,
    start,
    status,
    tick,
    verify_log,
    watch,
)


class Doing(Protocol):
    """A module, or an object, that does a verb."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what it takes."""

    @property
    def run(self) -> Callable[..., None]:
        """What does it and tells it, given the command and its options."""


class Verb(NamedTuple):
    """A verb, and what its help says."""

    doing: Doing
    help: str
    exit_codes: str = console.EXIT_CODES


VERBS: Mapping[str, Verb] = {
    "status": Verb(status, "say how it stands"),
    "kill": Verb(kill, "switch it off for everybody, now"),
    "percent": Verb(percent, "give it to so many of 100 conversations, by hand"),
    "plan": Verb(plan, "lint, show or add plans"),
    "simulate": Verb(simulate, "say what a plan would do, before it is started"),
    "drill": Verb(
        drill, "break a copy of the service on purpose, and see it taken back"
    ),
    "start": Verb(start, "start a rollout by a plan"),
    "watch": Verb(watch, "wait for a phase or the end", watch.EXIT_CODES),
    "advance": Verb(ordering.ADVANCE, "begin the next phase now"),
    "pause": Verb(ordering.PAUSE, "stand still until somebody resumes it"),
    "resume": Verb(ordering.RESUME, "go on after a pause"),
    "hold": Verb(ordering.HOLD, "stay at this percent, for a reason"),
    "release": Verb(ordering.RELEASE, "let go of a hold, or of all"),
    "halve": Verb(ordering.HALVE, "give it to half as many"),
    "rollback": Verb(ordering.ROLLBACK, "take it from everybody and end the rollout"),
    "approve": Verb(
        ordering.APPROVE, "approve the next phase as a second person, or ask for that"
    ),
    "explain": Verb(explain, "say why something was decided"),
    "replay": Verb(replay, "play it again, or by another plan", replay.EXIT_CODES),
    "tick": Verb(tick, "look at it once, as the worker does"),
    "verify-log": Verb(
        verify_log, "check that no decision was changed", verify_log.EXIT_CODES
    ),
}
