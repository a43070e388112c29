"""Which process holds something, and whether it still lives.

Where there is no `/proc` no process is ever known to be dead, and what it held comes
free when its lease runs out.
"""

import functools
import os
import socket
from pathlib import Path

_PROC = Path("/proc")
_STATE, _START = 0, 19  # places behind the name in /proc/<pid>/stat (proc(5))
_DEAD_STATES = {"Z", "X", "x"}


def me() -> str:
    """Return `host:boot:pid:start` of this process; a reused pid is another one.

    Raises: OSError at the first call where the system does not say.
    """
    return _identity(os.getpid())


def parent() -> str:
    """Return the same of the process that started this one."""
    return _describe(os.getppid())


def is_known_dead(identity: str) -> bool:
    """Tell whether this was a process of this boot of this host that has ended.

    False for another host's, for one from before a reboot, and where the system does
    not say: a lease that runs out is all that can tell about those.
    """
    place, pid, start = identity.rsplit(":", 2)
    return place == _place() and _start(int(pid)) not in {start, None}


@functools.lru_cache(maxsize=1)
def _identity(pid: int) -> str:
    return _describe(pid)


def _describe(pid: int) -> str:
    start = _start(pid)
    if start is None:  # others would take a name without it for a dead one's
        raise OSError(f"When process {pid} started can't be read from {_PROC}.")
    return f"{_place()}:{pid}:{start}"


@functools.cache
def _place() -> str:
    """Name the host, its boot and the container: pids mean something in there only."""
    host = socket.gethostname().replace(":", "_")
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii")
        container = (_PROC / "self/ns/pid").stat().st_ino
    except (FileNotFoundError, PermissionError):
        return f"{host}:unknown"
    return f"{host}:{boot[:8]}-{container}"


def _start(pid: int) -> str | None:
    """Return when the process started; "" when it has ended, None when nobody says.

    In ticks since the boot: a start by the wall clock moves when the clock is set, and
    every living process would look like another one.
    """
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None if _is_hidden(pid) else ""
    except OSError:  # a process without a free file descriptor knows of no other
        return None
    fields = stat.rpartition(")")[2].split()
    return "" if fields[_STATE] in _DEAD_STATES else fields[_START]


def _is_hidden(pid: int) -> bool:
    """Tell whether it lives as another user, where /proc shows each only their own."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return _PROC.exists()
