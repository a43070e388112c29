"""`rollout watch`: wait for a phase or the end, and say how it goes meanwhile."""

import math
import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from flags import console, outlook
from flags.console import OperatorCommand
from flags.outlook import Outlook
from flags.situation import State
from flags.verbs import doors

HELD, ROLLED_BACK, STALE = 2, 3, 4
EXIT_CODES = (
    "Exit codes: 0 what was waited for has come; 1 it has not within the timeout, or "
    "there is no rollout; 2 it is held or paused (a wrong command line is 2, too: its "
    "usage is printed then); 3 it is rolled back; 4 nobody looks at it."
)
_STANDING = {State.HELD, State.PAUSED}
_BACK = {State.ROLLING_BACK, State.ROLLED_BACK}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument(
        "--until",
        choices=["phase", "done"],
        default="done",
        help="wait for the next phase, or for the end (done)",
    )
    parser.add_argument(
        "--timeout",
        type=doors.seconds,
        metavar="S",
        help="seconds; forever if not given",
    )
    parser.add_argument(
        "--held-for",
        type=doors.seconds,
        default=60,
        metavar="S",
        help="how long it may be held before that ends the waiting (60)",
    )
    parser.add_argument(
        "--every",
        type=doors.seconds,
        default=2,
        metavar="S",
        help="seconds between looks (2)",
    )
    console.add_json(parser)


def run(command: OperatorCommand, **options: Any) -> None:
    """Wait. Raises: CommandError with the exit code, UnknownRollout."""
    first = outlook.of(doors.newest(), _now())
    until = _until(first, options["until"])
    tell = _Teller(command, is_json=options["json"])
    patience = options["timeout"]
    end = math.inf if patience is None else time.monotonic() + patience
    held_for = timedelta(seconds=options["held_for"])
    try:
        while not until(seen := outlook.of(doors.newest(first.rollout.pk), _now())):
            tell(seen)
            _stop_if_hopeless(seen, held_for)
            if time.monotonic() >= end:
                raise CommandError(f"{_name(seen)} goes on: {seen.line}")
            time.sleep(options["every"])
        tell(seen)
    finally:
        tell.end()


def _until(first: Outlook, what: str) -> Callable[[Outlook], bool]:
    def is_done(seen: Outlook) -> bool:
        return seen.state is State.COMPLETED

    def is_on(seen: Outlook) -> bool:
        has_begun = first.rollout.phase_since is None and seen.rollout.phase_since
        return is_done(seen) or seen.number > first.number or bool(has_begun)

    return is_on if what == "phase" else is_done


def _stop_if_hopeless(seen: Outlook, held_for: timedelta) -> None:
    """Raises: CommandError, where waiting brings nothing."""
    name = _name(seen)
    sentence = seen.last.sentence if seen.last else ""
    if seen.state in _BACK:
        raise CommandError(f"{name} is taken back: {sentence}", returncode=ROLLED_BACK)
    if seen.is_stale:
        minutes = seen.tick_age_s / 60
        raise CommandError(
            f"{name}: nobody has looked at it for {minutes:.0f} min. Does the worker "
            f"run?",
            returncode=STALE,
        )
    since = _now() - seen.rollout.state_since
    if seen.state in _STANDING and since >= held_for:
        raise CommandError(f"{name} stands still: {sentence}", returncode=HELD)


def _name(seen: Outlook) -> str:
    return f"Rollout {seen.rollout.pk}"


def _now() -> datetime:
    return timezone.now()


class _Teller:
    """One line that is written over on a terminal, a line for each change elsewhere.

    As JSON it is a document a line.
    """

    def __init__(self, command: OperatorCommand, *, is_json: bool) -> None:
        self._command = command
        self._is_json = is_json
        self._last = ""

    def __call__(self, seen: Outlook) -> None:
        out = self._command.stdout
        if self._is_json:
            key = str(seen.rollout.version)
            self._once(console.one_line(seen.as_json()), key=key)
        elif out.isatty():
            out.write(f"\r\x1b[K{seen.line}", ending="")
            out.flush()
        else:
            self._once(seen.line, key=seen.line)

    def end(self) -> None:
        """Leave the line that was written over."""
        if self._command.stdout.isatty() and not self._is_json:
            self._command.stdout.write("")

    def _once(self, text: str, *, key: str) -> None:
        if key != self._last:
            self._command.stdout.write(text)
            self._last = key
