"""`rollout kill`: off for everybody, now, whatever else is wrong."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from flags import console, orders, rollouts, runtime
from flags.changes import Difference
from flags.conf import USE
from flags.console import OperatorCommand
from flags.models import Rollout
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
        _tell(command, options, was_on=is_on, ends=_would_end())
        return
    killed = orders.kill(doors.order(options), now=timezone.now())
    ends = killed.decision.rollout_id if killed.decision else None
    _tell(command, options, was_on=bool(killed.changes), ends=ends)


def _would_end() -> int | None:
    """Return the rollout that a kill would end; None: none is under way."""
    rollout = rollouts.watched()
    is_back = rollout is None or rollout.state == Rollout.State.ROLLING_BACK
    return None if rollout is None or is_back else rollout.pk


def _tell(
    command: OperatorCommand,
    options: dict[str, Any],
    *,
    was_on: bool,
    ends: int | None,
) -> None:
    off = [Difference(USE.name, old=True, new=False, unit="")] if was_on else []
    before = runtime.current() | {USE.name: True}
    if options["json"]:
        command.tell(off, before=before, options=options, also={"rollout_ended": ends})
        return
    if was_on:
        command.tell(off, before=before, options=options)
    else:
        command.say("It is off already" + ("." if ends else ": nothing was changed."))
    if ends:
        what = "would end" if options["dry_run"] else "ends"
        command.say(f"Rollout {ends}: it {what} with this.")
