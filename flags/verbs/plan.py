"""`rollout plan lint|show|add`: plans as files and as they are stored."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from flags import console, plan_store
from flags.console import OperatorCommand
from flags.errors import InvalidValue
from flags.gates import words
from flags.plans import Action, Plan

_LONGEST_BYTES = 1_000_000


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what each of them takes."""
    actions = parser.add_subparsers(dest="plan_action", required=True)
    lint = actions.add_parser(
        "lint",
        help="say what is wrong with a plan",
        epilog="Exit codes: 0 it can be followed; 1 it can't, or there is none.",
    )
    lint.add_argument("plan", help="a JSON file, or the name of a stored plan")
    console.add_json(lint)
    show = actions.add_parser(
        "show", help="print a stored plan, or list them", epilog=console.EXIT_CODES
    )
    show.add_argument("plan", nargs="?", help="name or name@version")
    console.add_json(show)
    add = actions.add_parser(
        "add",
        help="store a plan from a file; no version is ever changed",
        epilog=console.EXIT_CODES,
    )
    add.add_argument("file", help="a JSON file; - reads standard input")
    add.add_argument(
        "--dry-run", action="store_true", help="say what would change, change nothing"
    )
    console.add_json(add)


def run(command: OperatorCommand, **options: Any) -> None:
    """Do what was asked for. Raises: FlagsError, CommandError."""
    doing = {"lint": _lint, "show": _show, "add": _add}[options["plan_action"]]
    doing(command, options)


def _lint(command: OperatorCommand, options: dict[str, Any]) -> None:
    name = options["plan"]
    is_file = Path(name).is_file()
    plan = _read(name) if is_file else plan_store.read_stored(plan_store.find(name))
    wrong = plan_store.faults(plan)
    if options["json"]:
        command.print_json(
            {"plan": plan.name, "version": plan.version, "faults": wrong}
        )
    if wrong:
        raise InvalidValue(f"{plan.name}@{plan.version}: {' '.join(wrong)}")
    if not options["json"]:
        command.say(f"{plan.name}@{plan.version} can be followed.")


def _show(command: OperatorCommand, options: dict[str, Any]) -> None:
    if not options["plan"]:
        stored = plan_store.newest()
        if options["json"]:
            command.print_json(
                [
                    {
                        "plan": each.name,
                        "version": each.version,
                        "created_by": each.created_by,
                        "created_at": each.created_at.isoformat(),
                    }
                    for each in stored
                ]
            )
            return
        for each in stored:
            command.say(f"{each} by {each.created_by}")
        return
    found = plan_store.find(options["plan"])
    if options["json"]:
        command.print_json(found.body)
        return
    for line in lines(plan_store.read_stored(found)):
        command.say(line)


def _add(command: OperatorCommand, options: dict[str, Any]) -> None:
    plan = _read(options["file"])
    if options["dry_run"]:
        is_new, told = plan_store.stored_already(plan) is None, "It would be stored."
    else:
        _, is_new = plan_store.add(plan, by=console.operator().name)
        told = "Stored."
    if not is_new:
        told = "It is stored already: nothing was changed."
    if options["json"]:
        command.print_json(
            {
                "dry_run": options["dry_run"],
                "is_new": is_new,
                "plan": plan.name,
                "version": plan.version,
            }
        )
        return
    command.say(f"{plan.name}@{plan.version}: {told}")
    if options["dry_run"]:
        command.say("Dry run: nothing was changed.")


def lines(plan: Plan) -> list[str]:
    """Return a plan in words."""
    told = [f"{plan.name}@{plan.version}"]
    for number, phase in enumerate(plan.phases, start=1):
        wanted = ", ".join(
            f"{each.key} {'≥' if each.is_above else '≤'} {each.threshold:g}"
            f"{'' if each.is_required else ' (shown only)'}"
            for each in phase.success
        )
        approval = "; a second person approves it" if phase.needs_approval else ""
        told.append(
            f"Phase {number}: {plan.percent_of(number - 1)} %, "
            f"{words.span(phase.dwell_s)}, {phase.unit_count:,} treatment "
            f"conversations{f'; {wanted}' if wanted else ''}{approval}"
        )
    told += [
        f"Harm gate {harm.key}: {harm.action.replace('_', ' ')}, false in "
        f"{words.share(harm.alpha)} of ramps, odds ratio above {harm.margin:g}"
        for harm in plan.harms
    ]
    told.append(
        f"A healthy ramp is rolled back falsely in "
        f"{words.share(plan.alpha(Action.ROLL_BACK))}, halved in "
        f"{words.share(plan.alpha(Action.HALVE))}."
    )
    return told


def _read(name: str) -> Plan:
    """Read a file. Raises: InvalidValue, CommandError."""
    try:
        text = Path("/dev/stdin" if name == "-" else name).read_text("utf-8")
        document = json.loads(text[:_LONGEST_BYTES])
    except OSError as error:
        raise CommandError(f"{name} can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{name} is no JSON: {error}.") from error
    return plan_store.read(document)
