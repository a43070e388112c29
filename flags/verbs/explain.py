"""`rollout explain`: one decision in words."""

from argparse import ArgumentParser
from typing import Any

from flags import console, explaining, recalling
from flags.console import OperatorCommand
from flags.errors import UnknownRollout
from flags.models import Decision, Rollout
from flags.situation import Move
from flags.verbs import doors


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument(
        "number",
        nargs="?",
        type=int,
        help="which decision; the newest that changed something if not given",
    )
    doors.add_rollout(parser)
    console.add_json(parser)


def run(command: OperatorCommand, **options: Any) -> None:
    """Say it. Raises: UnknownRollout."""
    decision = _decision(doors.newest(options["rollout"]), options["number"])
    recalled = recalling.exact(decision)
    if options["json"]:
        command.print_json(
            doors.decision_as_json(decision)
            | {
                "release": decision.release,
                "hash": decision.hash,
                "inputs": decision.inputs,
                "readings": [each.as_json() for each in recalled.readings],
                "note": recalled.note,
            }
        )
        return
    for line in explaining.explain(decision, recalled).splitlines():
        command.say(line)


def _decision(rollout: Rollout, number: int | None) -> Decision:
    newest = rollout.decisions.order_by("-number")
    if number is not None:
        found = newest.filter(number=number).first()
    else:
        found = newest.exclude(action=Move.NONE).first() or newest.first()
    if found is None:
        last = newest.first()
        there = f"1 to {last.number}" if last else "none yet"
        raise UnknownRollout(
            f"Rollout {rollout.pk} has no decision"
            f"{'' if number is None else f' {number}'}; there are: {there}."
        )
    return found
