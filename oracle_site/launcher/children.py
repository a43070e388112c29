"""The processes of a run: start them, hear them, end them all.

Not honcho's manager: that kills after five seconds, too soon for a running answer, and
signals whole groups at once, which tears a worker's tasks from under it.
"""

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import console
from .errors import ChildEnded
from .log_file import LogFile

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$", re.MULTILINE)
_POLL_S = 0.1


def read_procfile(path: Path) -> dict[str, str]:
    """Return the commands of a Procfile by name."""
    return dict(_LINE.findall(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Child:
    """A process that leads a group of its own, and the thread that reads its words."""

    name: str
    process: subprocess.Popen[bytes]
    reader: threading.Thread
    log: Path

    def exit_code(self) -> int | None:
        """Return how the leader ended, as `Popen` tells it; None: it runs.

        It is not reaped here, as `Popen.poll` would do: until its group is killed, its
        number must not become anybody else's.
        """
        if self.process.returncode is not None:
            return self.process.returncode
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            end = os.waitid(os.P_PID, self.process.pid, look)
        except ChildProcessError:  # our starter has us ignore SIGCHLD: reaped already
            return self.process.poll()
        if end is None:
            return None
        return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status

    def has_ended(self) -> bool:
        """Tell whether the leader is gone."""
        return self.exit_code() is not None

    def send(self, number: signal.Signals) -> None:
        """Signal the leader, which looks after its own processes."""
        if not self.has_ended():
            os.kill(self.process.pid, number)  # Popen's own would reap it

    def kill_group(self) -> None:
        """Kill whatever is left of the group; nobody once the leader is reaped."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Children:
    """The processes of this run, in the order they were started."""

    def __init__(self, *, folder: Path, logs: Path) -> None:
        self._folder = folder
        self._logs = logs
        self._all: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)

    def start(self, name: str, command: str, env: Mapping[str, str]) -> Child:
        """Run a shell command; what it says goes to the terminal and its log."""
        process = subprocess.Popen(
            [*leash(), "/bin/sh", "-c", f"exec {command}"],
            cwd=self._folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log = self._logs / f"{name}.log"
        reader = threading.Thread(
            target=_relay, args=(name, process.stdout, log), daemon=True
        )
        reader.start()
        child = Child(name, process, reader, log)
        self._all.append(child)
        return child

    def require_all(self) -> None:
        """Make sure that every process still runs.

        Raises:
            ChildEnded: for the first that does not.
        """
        for child in self._all:
            code = child.exit_code()
            if code is not None:
                child.reader.join(timeout=1)
                raise ChildEnded(child.name, code, child.log)

    def stop(self, *, last: str, patience_s: float) -> None:
        """End all, the one called `last` after the others: they may still need it."""
        self._end([c for c in self._all if c.name != last], patience_s)
        self._end([c for c in self._all if c.name == last], patience_s)

    def kill(self) -> None:
        """End all at once, whatever they are doing; safe in a signal handler."""
        for child in self._all:
            child.kill_group()

    def _end(self, children: Iterable[Child], patience_s: float) -> None:
        ending = list(children)
        for child in ending:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while any(not child.has_ended() for child in ending):
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_S)
        for child in ending:
            child.kill_group()
            child.process.wait()
            child.reader.join(timeout=1)


@functools.cache
def leash() -> tuple[str, ...]:
    """Return the prefix that ends a process when its starter is killed outright."""
    prefix = ("setpriv", "--pdeathsig", "TERM")
    if shutil.which("setpriv") is None:
        return ()
    trial = subprocess.run([*prefix, "true"], check=False, capture_output=True)
    return prefix if trial.returncode == 0 else ()


def _relay(name: str, source: IO[bytes], log: Path) -> None:
    file = LogFile(log)
    for raw in source:
        line = raw.decode("utf-8", "replace").rstrip()
        file.write(line)
        console.relay(name, line)
    file.close()
    source.close()
