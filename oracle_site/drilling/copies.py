"""A copy of the service in a folder of its own: nothing of the real one is touched.

Its model is the scripted one, its data starts empty, and it knows no channel to tell
anybody by, as it sees nothing of our environment.
"""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from flags.errors import DrillBroken
from flags.plans import Plan
from oracle_site.launcher import readiness
from oracle_site.launcher.children import leash
from oracle_site.launcher.claims import free_port

_READY_WITHIN_S = 90.0
_POLL_S = 0.1
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_UNLIMITED = "1000000"


@dataclass(slots=True)
class Copy:
    """The running processes, and what may be asked of them."""

    folder: Path
    web_port: int
    model_port: int
    env: Mapping[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the copy answers."""
        return f"http://127.0.0.1:{self.web_port}"

    def start(self, name: str, *arguments: str) -> None:
        """Run a Python module as a process of the copy."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*leash(), sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """End a process and all that it has started, without a chance to object."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def begin(self, plan: Plan, *, every_s: float) -> None:
        """Start a rollout by a plan, and tick so often; goes on with one that is on."""
        path = self.folder / "plan.json"
        path.write_text(plan.to_text(), encoding="utf-8")
        module = ("-m", "oracle_site.drilling.ticking")
        self.start("ticks", *module, str(path), str(every_s))

    def direct(self, **defaults: object) -> datetime:
        """Tell the model how to answer from now on; return when."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.model_port}/_local/defaults",
            data=json.dumps(defaults).encode(),
            method="PUT",
        )
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            response.read()
        return datetime.now(UTC)

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Return what a query finds in the copy's database."""
        with self._connected() as connection:
            return [dict(row) for row in connection.execute(statement, values)]

    def execute(self, statement: str) -> datetime:
        """Change the copy's database; return when."""
        with self._connected() as connection, connection:
            connection.execute(statement)
        return datetime.now(UTC)

    def require_all(self) -> None:
        """Raises: DrillBroken when a process has ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise DrillBroken(f"The copy's {name} has ended:\n{self.said(name)}")

    def said(self, name: str) -> str:
        """Return the last lines of a process."""
        text = (self.folder / f"{name}.log").read_text("utf-8", "replace")
        return "\n".join(text.splitlines()[-15:])

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.folder / "oracle.sqlite3", timeout=20)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()


@contextlib.contextmanager
def running(folder: Path, *, workers: int = 1, **model: object) -> Iterator[Copy]:
    """Run a copy; `model` are the defaults of the scripted model.

    Raises: DrillBroken when it does not start.
    """
    copy = _made(folder, workers=workers)
    try:
        _migrate(copy)
        arguments = ("-m", "chat.local_gemini", "--brain", "scripted")
        copy.start("model", *arguments, "--port", str(copy.model_port))
        _wait(copy, lambda: readiness.model_brain(copy.model_port))
        copy.direct(**model)
        config = ("-c", "oracle_site/gunicorn_conf.py")
        copy.start("web", "-m", "gunicorn", *config, "oracle_site.asgi:application")
        _wait(
            copy,
            lambda: readiness.site_answers(
                "127.0.0.1", copy.web_port, host="localhost"
            ),
        )
        yield copy
    finally:
        for name in list(copy.processes):
            copy.kill(name)


def _made(folder: Path, *, workers: int) -> Copy:
    web_port, model_port = free_port(), free_port()
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env |= {
        "PYTHONUNBUFFERED": "1",
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(folder),
        "HOST": "127.0.0.1",
        "PORT": str(web_port),
        "WEB_WORKERS": str(workers),
        "GEMINI_API_KEY": "local",
        "GEMINI_BASE_URL": f"http://127.0.0.1:{model_port}",
        "GEMINI_API_VERSION": "v1beta",
        "LOCAL_GEMINI_BRAIN": "scripted",
        "RATE_LIMIT_MESSAGES_PER_MINUTE": _UNLIMITED,
        "RATE_LIMIT_ADDRESS_PER_MINUTE": _UNLIMITED,
    }
    return Copy(folder, web_port, model_port, env)


def _migrate(copy: Copy) -> None:
    for command in (("migrate",), ("collectstatic", "--noinput")):
        done = subprocess.run(
            [sys.executable, "manage.py", *command, "--verbosity", "0"],
            cwd=settings.BASE_DIR,
            env=dict(copy.env),
            capture_output=True,
            check=False,
            text=True,
        )
        if done.returncode:
            raise DrillBroken(f"The copy's {command[0]} failed:\n{done.stderr[-2000:]}")


def _wait(copy: Copy, answers: Callable[[], object]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not answers():
        copy.require_all()
        if time.monotonic() > deadline:
            raise DrillBroken(
                f"The copy does not answer after {_READY_WITHIN_S:.0f} s."
            )
        time.sleep(_POLL_S)
