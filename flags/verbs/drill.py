"""`rollout drill`: break a copy of the service on purpose, and see it taken back."""

import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError

from flags import console, drills
from flags.console import OperatorCommand
from flags.drills import Fault
from flags.models import Drill


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `rollout drill` takes."""
    parser.add_argument(
        "--fault",
        type=_fault,
        default=Fault("errors", 0.5),
        help=f"what to break: {drills.FAULTS} (errors=0.5)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(command: OperatorCommand, *, fault: Fault, **options: Any) -> None:
    """Drill, and tell. Raises: DrillBroken, CommandError for a red one."""
    began = time.monotonic()

    def say(text: str) -> None:
        command.stderr.write(f"{time.monotonic() - began:6.1f} s  {text}")

    drill = drills.run(fault, actor=console.operator(), say=say)
    if options["json"]:
        command.print_json(as_json(drill))
    else:
        word = "Green" if drill.is_green else "Red"
        command.say(f"{word}: {drill.detail['sentence']}")
    if not drill.is_green:
        raise CommandError(f"The drill {drill.fault} was not passed.")


def as_json(drill: Drill) -> dict[str, Any]:
    """Return a drill for programs; times in seconds."""
    return {
        "id": drill.pk,
        "fault": drill.fault,
        "is_green": drill.is_green,
        "seconds": drill.seconds,
        "started_at": drill.started_at.isoformat(),
        "ended_at": drill.ended_at and drill.ended_at.isoformat(),
        **drill.detail,
    }


def _fault(text: str) -> Fault:
    try:
        return Fault.of(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
