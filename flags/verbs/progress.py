"""How far something is, on a terminal; a file or a pipe gets none of it."""

from django.core.management.base import OutputWrapper

_WIDTH = 30


def bar(stream: OutputWrapper, done: int, of: int, *, what: str) -> None:
    """Draw over the last bar; the last of all ends the line."""
    if not of or not stream.isatty():
        return
    full = _WIDTH * done // of
    drawn = "█" * full + "·" * (_WIDTH - full)
    stream.write(f"\r{drawn} {done:,} of {of:,} {what}", ending="")
    if done == of:
        stream.write("", ending="\n")
    stream.flush()
