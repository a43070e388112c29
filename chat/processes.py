"""Which process makes an answer, and whether it still lives."""

import functools
import os
import socket

import psutil

_HOST = socket.gethostname().replace(":", "_")


def me() -> str:
    """Return `host:pid:start time` of this process; a reused pid is another one."""
    return _identity(os.getpid())


@functools.lru_cache(maxsize=4)
def _identity(pid: int) -> str:
    return f"{_HOST}:{pid}:{psutil.Process(pid).create_time():.2f}"


def is_known_dead(identity: str) -> bool:
    """Tell whether this was a process of this host that has ended.

    False for another host's: only its heartbeat can tell.
    """
    host, pid, started = identity.rsplit(":", 2)
    if host != _HOST:
        return False
    try:
        process = psutil.Process(int(pid))
        return (
            f"{process.create_time():.2f}" != started
            or process.status() == psutil.STATUS_ZOMBIE
        )
    except psutil.NoSuchProcess:
        return True
