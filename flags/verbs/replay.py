"""`rollout replay`: the same answer again, or that of another plan."""

from argparse import ArgumentParser
from itertools import islice
from typing import Any

from django.core.management.base import CommandError

from flags import console, counterfactual, plan_store, rollouts
from flags.console import OperatorCommand
from flags.models import Rollout
from flags.replaying import Replay
from flags.verbs import doors

EXIT_CODES = (
    "Exit codes: 0 the log is what comes out again, or the other plan was followed; 1 "
    "something differs, or there is no such rollout or plan; 2 the command line is "
    "wrong."
)
_SHOWN = 20


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument(
        "--plan", help="another plan: what it would have done, name or name@version"
    )
    doors.add_rollout(parser)
    console.add_json(parser)


def run(command: OperatorCommand, **options: Any) -> None:
    """Play it again. Raises: FlagsError, CommandError where something differs."""
    rollout = doors.newest(options["rollout"])
    if options["plan"]:
        _under(command, rollout, options)
        return
    rollouts.plan_of(rollout)
    played = Replay(rollout)
    found = list(islice(played.differences(), _SHOWN))
    if options["json"]:
        command.print_json(
            {
                "rollout": rollout.pk,
                "ticks": played.tick_count,
                "windows": played.window_count,
                "differences": [
                    {
                        "decision": each.number,
                        "what": each.what,
                        "logged": str(each.logged),
                        "replayed": str(each.replayed),
                    }
                    for each in found
                ],
            }
        )
    elif not found:
        command.say(
            f"Rollout {rollout.pk}: {played.tick_count:,} ticks over "
            f"{played.window_count:,} windows came out as they are in the log."
        )
    if found:
        words = " ".join(str(each) for each in found)
        more = " There may be more." if len(found) == _SHOWN else ""
        raise CommandError(f"{words}{more}")


def _under(command: OperatorCommand, rollout: Rollout, options: dict[str, Any]) -> None:
    plan = plan_store.read_stored(plan_store.find(options["plan"]))
    steps = counterfactual.changing(rollout, plan)
    if options["json"]:
        command.print_json(
            {
                "rollout": rollout.pk,
                "plan": f"{plan.name}@{plan.version}",
                "note": counterfactual.NOTE,
                "steps": [
                    {
                        "at": each.at.isoformat(),
                        "action": each.outcome.move,
                        "state": each.outcome.state,
                        "percent": float(each.outcome.percent),
                        "phase": each.outcome.phase_index + 1,
                        "sentence": each.outcome.sentence,
                    }
                    for each in steps
                ],
            }
        )
        return
    command.say(f"Rollout {rollout.pk} by plan {plan.name} {plan.version}:")
    for each in steps:
        command.say(
            f"{each.at:%Y-%m-%d %H:%M:%S} UTC  "
            f"{each.outcome.move.replace('_', ' ')}, {each.outcome.percent} %: "
            f"{each.outcome.sentence}"
        )
    if not steps:
        command.say("It would have done nothing.")
    command.say(counterfactual.NOTE)
