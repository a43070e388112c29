"""`rollout verify-log`: whether every decision is as it was written."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from flags import console, decisions
from flags.console import OperatorCommand
from flags.verbs import doors

EXIT_CODES = (
    "Exit codes: 0 all of them are; 1 one is not, or there is no such rollout; 2 the "
    "command line is wrong."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what it takes."""
    doors.add_rollout(parser)
    console.add_json(parser)


def run(command: OperatorCommand, **options: Any) -> None:
    """Check the chain. Raises: CommandError where it is broken, UnknownRollout."""
    rollout = doors.newest(options["rollout"])
    count = rollout.decisions.count()
    wrong = list(decisions.verify(rollout))
    if options["json"]:
        command.print_json({"rollout": rollout.pk, "decisions": count, "faults": wrong})
    elif not wrong:
        command.say(
            f"All {count:,} decisions of rollout {rollout.pk} are as they were written."
        )
    if wrong:
        raise CommandError(" ".join(wrong[:20]))
