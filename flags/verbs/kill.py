"""`rollout kill`: off for everybody, now, whatever else is wrong."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from flags import console, orders, runtime
from flags.changes import Difference
from flags.conf import USE
from flags.console import OperatorCommand
from flags.verbs import doors


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument("--reason", default="", help="why, if there is time")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, change nothing"
    )
    console.add_json(parser)


def run(command: OperatorCommand, **options: Any) -> None:
    """Switch it off, before anything else is read or said."""
    if options["dry_run"]:
        is_on = bool(runtime.current()[USE.name])
        _tell(command, options, was_on=is_on)
        return
    killed = orders.kill(doors.order(options), now=timezone.now())
    _tell(command, options, was_on=bool(killed.changes))
    if killed.decision and not options["json"]:
        command.say(f"Rollout {killed.decision.rollout_id}: it ends with this.")


def _tell(command: OperatorCommand, options: dict[str, Any], *, was_on: bool) -> None:
    if was_on or options["json"]:
        off = [Difference(USE.name, old=True, new=False, unit="")] if was_on else []
        before = runtime.current() | {USE.name: True}
        command.tell(off, before=before, options=options)
    else:
        command.say("It is off already: nothing was changed.")
