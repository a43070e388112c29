"""`rollout percent`: so many of 100 conversations, set by hand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from flags import changes, console
from flags.conf import PERCENT
from flags.console import OperatorCommand
from flags.errors import InvalidValue, SwitchedOff


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what it takes."""
    parser.add_argument("percent", help="0 to 100, with two decimals at most")
    parser.add_argument(
        "--enable",
        action="store_true",
        help="switch it on as well, after somebody switched it off",
    )
    console.add_reason(parser)


def run(
    command: OperatorCommand, *, percent: str, enable: bool, **options: Any
) -> None:
    """Bring the flag to a percent. Raises: FlagsError, CommandError."""
    try:
        PERCENT.parse(percent)
    except InvalidValue as error:
        raise CommandError(str(error), returncode=2) from error
    try:
        wanted = changes.set_percent(percent, is_enabling=enable)
    except SwitchedOff as error:
        raise CommandError(f"{error} (--enable)") from error
    command.change(wanted, options=options)
