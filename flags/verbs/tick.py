"""`rollout tick`: look at the rollout once, from a terminal or from cron."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from flags import console, controller, gathering, rollouts
from flags.console import OperatorCommand
from flags.verbs import doors


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, change nothing"
    )
    console.add_json(parser)


def run(command: OperatorCommand, **options: Any) -> None:
    """Look, decide and act. Raises: FlagsError, CommandError."""
    found = _foreseen() if options["dry_run"] else _decided()
    if options["json"]:
        command.print_json({"dry_run": options["dry_run"], "decision": found})
        return
    command.say(found["sentence"] if found else "There is nothing to decide.")
    if options["dry_run"]:
        command.say("Dry run: nothing was changed.")


def _decided() -> dict[str, Any] | None:
    """Raises: CommandError where no gate could be asked."""
    now = timezone.now()
    decision = rollouts.tick(now)
    if decision is not None:
        return doors.decision_as_json(decision)
    rollout = rollouts.watched(now)
    if rollout and (fault := rollouts.plan_fault(rollout)):
        raise CommandError(f"Rollout {rollout.pk}: no gate was asked. {fault}")
    return None


def _foreseen() -> dict[str, Any] | None:
    """Return what would be decided by the windows that are counted already."""
    now = timezone.now()
    rollout = rollouts.watched(now)
    if rollout is None:
        return None
    found = gathering.gather(rollout, now)
    outcome = controller.decide(found.situation)
    return {
        "rollout": rollout.pk,
        "action": outcome.move,
        "state": [rollout.state, outcome.state],
        "percent": [float(rollout.percent), float(outcome.percent)],
        "sentence": outcome.sentence,
    }
