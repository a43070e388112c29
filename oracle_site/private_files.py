"""Files that no other account of the host may read, whoever made their folder."""

import os
from contextlib import suppress

_OWNER_ONLY = 0o600


def opener(path: str, flags: int) -> int:
    """Open a file for `open(…, opener=…)`; one that is made is its owner's alone."""
    return os.open(path, flags, _OWNER_ONLY)


def make(path: str) -> None:
    """Make an empty file, unless it is there or can't be made."""
    with suppress(OSError):
        open(path, "xb", opener=opener).close()
