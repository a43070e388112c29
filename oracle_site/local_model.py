"""Where the small model of a running site answers, for commands in another shell.

`make run` tells its own processes by their environment. A shell beside them has none of
that, and a command that finds no model there would say that nothing can be answered.
"""

import fcntl
from pathlib import Path
from typing import IO

from oracle_site import private_files

_FILE = "local_model"


def announce(folder: Path, address: str) -> IO[str]:
    """Write down where it answers; that counts until the file returned is closed.

    The lock belongs to the process: an address outlives no run, however that ended.
    Whoever looks meanwhile finds the file of an earlier run, or this one, complete.
    """
    path = folder / f"{_FILE}.new"
    file = open(path, "w", encoding="ascii", opener=private_files.opener)  # noqa: SIM115 - the caller closes it
    fcntl.flock(file, fcntl.LOCK_EX)
    file.write(address)
    file.flush()
    path.replace(folder / _FILE)
    return file


def address(folder: Path) -> str:
    """Return the base URL of the model that runs on this data; empty: none does."""
    try:
        with (folder / _FILE).open(encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read()
    except OSError:
        pass
    return ""
