"""`rollout simulate`: what a plan would do, on made-up traffic or on our own past."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from flags import past, plan_store
from flags.console import OperatorCommand
from flags.gates import words
from flags.plans import Plan
from flags.simulation import many, plot
from flags.simulation.summary import summary
from flags.simulation.world import Effect, Fault, World, synthetic
from flags.verbs import progress

_DAYS = re.compile(r"([1-9]\d{0,2})d", re.ASCII)
_MOST_RUNS = 10_000
_ALIKE = (
    "Conversations are taken as alike and independent; what the feature does, as "
    "assumed."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `rollout simulate` takes."""
    parser.add_argument(
        "--plan", default="guide", help="name or name@version; guide if not given"
    )
    parser.add_argument(
        "--runs", type=_runs, default=40, help="ramps; some seconds each (40)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="the same one draws the same ramps (1)"
    )
    traffic = parser.add_mutually_exclusive_group()
    traffic.add_argument(
        "--per-hour", type=_positive, help="conversations an hour, made up (2000)"
    )
    traffic.add_argument(
        "--past", type=_days, metavar="7d", help="traffic as in our own last days"
    )
    parser.add_argument(
        "--harm",
        action="append",
        default=[],
        type=_fault,
        metavar="errors=x10@10",
        help="let the feature do harm: errors, empty, latency, tokens or dislikes, so "
        "many times, from a percent on; may be repeated",
    )
    parser.add_argument("--plot", metavar="FILE.svg", help="draw the ramps into a file")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(command: OperatorCommand, **options: Any) -> None:
    """Simulate, and tell. Raises: FlagsError, CommandError."""
    plan = plan_store.read_stored(plan_store.find(options["plan"]))
    world = _world(plan, options).with_faults(options["harm"])
    first = options["seed"]
    ramps = many.simulated(
        plan,
        world,
        seeds=range(first, first + options["runs"]),
        progress=partial(progress.bar, command.stderr, what="ramps"),
    )
    found = summary(ramps, plan=plan, world=world) | {
        "seed": first,
        "traffic": _source(options),
        "assumed": _assumed(world.effect),
        "notes": _notes(world, options),
    }
    if options["plot"]:
        title = f"{found['plan']}: {len(ramps)} simulated ramps"
        _write(options["plot"], plot.svg(ramps, title=title))
    if options["json"]:
        command.print_json(found)
        return
    for line in _lines(found, plan):
        command.say(line)


def _world(plan: Plan, options: dict[str, Any]) -> World:
    if options["past"]:
        return past.world(plan, days=options["past"], now=timezone.now())
    return synthetic(per_hour=options["per_hour"] or 2000.0)


def _source(options: dict[str, Any]) -> str:
    return f"past {options['past']}d" if options["past"] else "made up"


def _assumed(effect: Effect) -> dict[str, float]:
    return {
        "latency_reduction": effect.latency_reduction,
        "token_reduction": effect.token_reduction,
        "hit_ratio": effect.hit_ratio,
    }


def _notes(world: World, options: dict[str, Any]) -> list[str]:
    notes = [_ALIKE]
    if not world.error_ratio:
        notes.append(
            "No conversation failed in the past: a false alarm can't be simulated by "
            "it, nor said what a phase can see."
        )
    if options["past"]:
        notes.append("A conversation counts once for each hour that it was active in.")
    if options["past"] and len(world.days) < options["past"]:
        notes.append(f"Only {len(world.days)} of these days had conversations.")
    return notes


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{name} can't be written: {error.strerror}.") from error


def _lines(found: dict[str, Any], plan: Plan) -> list[str]:
    harms = ", ".join(found["harms"]) or "a feature that does no harm"
    lines = [
        f"{found['plan']}: {found['runs']} ramps with {harms}, traffic "
        f"{found['traffic']}, {words.count(found['conversations_per_hour'])} "
        f"conversations an hour, {words.share(found['error_ratio'])} fail.",
        _probable("Rolled back falsely", found, "false_rollback_probability"),
        _probable("Halved or paused falsely", found, "false_halving_probability"),
        _probable("Completed", found, "completed_probability"),
        _probable("Harm acted on", found, "found_probability"),
    ]
    if spread := found["conversations_until_found"]:
        failed = found["failed_until_found"]
        lines.append(
            f"Until then: {words.count(spread['median'])} treatment conversations "
            f"(9 of 10: {words.count(spread['p90'])}), of which "
            f"{words.count(failed['median'])} failed (9 of 10: "
            f"{words.count(failed['p90'])})."
        )
    for index, days in enumerate(found["days_per_phase"]):
        factor = found["detectable_effect"][index]
        sees = "no jump of errors" if factor is None else f"errors × {factor:.2g}"
        time = "not left" if days is None else f"{days:.1f} days"
        lines.append(
            f"Phase {index + 1}, {plan.percent_of(index)} %: {time}; sees {sees}."
        )
    return [*lines, *found["notes"]]


def _probable(what: str, found: dict[str, Any], name: str) -> str:
    if found[name] is None:
        return f"{what}: no data."
    low, high = (words.share(each) for each in found[f"{name}_interval"])
    return f"{what}: {words.share(found[name])} of ramps (95 %: {low} to {high})."


def _runs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_RUNS:
        raise ArgumentTypeError(f"{text!r}: 1 to {_MOST_RUNS} ramps are possible.")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e7:
        raise ArgumentTypeError(f"{text!r}: a number above 0 is needed.")
    return number


def _days(text: str) -> int:
    found = _DAYS.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r}: a number of days such as 7d is needed.")
    return int(found[1])


def _fault(text: str) -> Fault:
    try:
        return Fault.of(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
