"""What the person at the terminal reads."""

import contextlib
import sys

NAME_WIDTH = 8


def say(text: str = "") -> None:
    """Print a line; a terminal that has gone away must not stop a shutdown."""
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def relay(name: str, line: str) -> None:
    """Print what a process said, with its name before it."""
    say(f"{name:<{NAME_WIDTH}}| {line}")
