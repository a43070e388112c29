"""What one run needs for itself: a port and the data folder."""

import contextlib
import errno
import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psutil

from oracle_site import private_files

from .errors import FolderTaken, NotPrepared, PortTaken

_LOCK_FILE = "run.lock"
_COMMAND_LENGTH = 60


@contextlib.contextmanager
def data_folder(folder: Path, *, port: int) -> Iterator[None]:
    """Hold the data folder as long as the block lasts.

    The lock belongs to the process: it is gone when the process is, however it ended.

    Raises:
        FolderTaken: another run holds it.
        NotPrepared: it can't be written to.
    """
    with _open_lock(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderTaken(_folder_sentence(folder, file.name, port)) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}, port {port}")
        file.flush()
        yield


def require_port(port: int, *, host: str) -> None:
    """Make sure that the web server can listen on the port.

    Raises:
        PortTaken: it can't; the sentence names the holder where that is known.
    """
    error = _bind_error(port, host)
    if error == errno.EACCES:
        raise PortTaken(
            f"Port {port} needs an administrator's rights: PORT=8000 make run"
        )
    if error == errno.EADDRINUSE:
        raise PortTaken(
            f"Port {port} is taken by {_holder(port)}. "
            f"Stop that, or take another port: PORT={_next_port(port)} make run"
        )
    if error:
        raise PortTaken(f"HOST={host!r}: {os.strerror(error)}.")


def free_port() -> int:
    """Return a loopback port that nobody has.

    It is none of those that the system gives to outgoing connections (from 32,768 on
    as a rule), or one of them could have it before the server does.
    """
    while True:
        port = secrets.choice(range(12_000, 32_000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _open_lock(folder: Path) -> IO[str]:
    try:
        path = folder / _LOCK_FILE
        return open(path, "a+", encoding="utf-8", opener=private_files.opener)
    except OSError as error:
        raise NotPrepared(
            f"{folder} can't be written to ({error.strerror}). ORACLE_DATA_DIR must "
            f"name a folder that you may write to."
        ) from error


def _bind_error(port: int, host: str = "127.0.0.1") -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror:
            return errno.EADDRNOTAVAIL
        except OSError as error:
            return error.errno or errno.EADDRINUSE
    return 0


def _next_port(port: int) -> int:
    return next(
        (other for other in range(port + 1, port + 100) if not _bind_error(other)), 8000
    )


def _holder(port: int) -> str:
    """Name the process that listens on the port, as far as we may look."""
    with contextlib.suppress(psutil.Error, StopIteration):
        pid = next(
            connection.pid
            for connection in psutil.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr.port == port
            and connection.pid
        )
        command = " ".join(psutil.Process(pid).cmdline())
        return f"process {pid} ({command[:_COMMAND_LENGTH]})"
    return "another process"


def _folder_sentence(folder: Path, lock: str, port: int) -> str:
    holder = Path(lock).read_text(encoding="utf-8") or "process unknown"
    return (
        f"Oracle Chat already runs on the data in {folder} ({holder}). Stop it first, "
        f"or give this run data of its own: "
        f"ORACLE_DATA_DIR=/another/folder PORT={_next_port(port)} make run"
    )
