"""Real worker and beat processes on a database of their own."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.servers import ROOT, manage

_PATIENCE_S = 30.0
_PAUSE_S = 0.05
_APP = "tests.faults.trial_app"


@dataclass
class Deployment:
    """A database, a folder for notes, and the processes that work on them."""

    folder: Path
    env: dict[str, str]
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def celery(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a Celery command in a process group of its own."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", _APP, *arguments],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def worker(self, *options: str) -> "subprocess.Popen[bytes]":
        """Start a worker with two pool processes."""
        return self.celery("worker", "-c", "2", "--loglevel", "INFO", *options)

    def python(self, code: str) -> str:
        """Run code in a process of this deployment; return what it printed."""
        return manage(self.env, "shell", "--no-imports", "-v", "0", "-c", code).strip()

    def send(self, task: str, *calls: dict[str, Any]) -> None:
        """Queue a task once per given set of arguments."""
        self.python(
            f"from {_APP} import app\n"
            f"for call in {calls!r}: app.tasks[{task!r}].delay(**call)"
        )

    def send_jobs(self, *slots: str) -> None:
        """Queue the job of the trial app for these slots."""
        calls = [{"slot": slot, "folder": str(self.folder)} for slot in slots]
        self.send("trial.job", *calls)

    def let_jobs_end(self) -> None:
        """Let every job go on, those that are still to come too."""
        (self.folder / "go").touch()

    def notes(self, word: str) -> list[list[str]]:
        """Return the notes that begin with a word, split."""
        path = self.folder / "notes"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [line.split() for line in text.splitlines() if line.startswith(word)]

    def ended(self) -> list[str]:
        """Return the slots whose effect was had, as often as it was."""
        return sorted(slot for _, slot, _ in self.notes("end"))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Read the database, without Django's start-up time."""
        if url := self.env["DATABASE_URL"]:
            with psycopg.connect(url) as connection:
                return connection.execute(sql.encode()).fetchall()
        path = self.folder / "oracle.sqlite3"
        with contextlib.closing(sqlite3.connect(path, timeout=20)) as database:
            return database.execute(sql).fetchall()

    def left_in_queue(self) -> int:
        """Count the tasks that wait or run."""
        sql = "SELECT count(*) FROM oracle_site_brokermessage WHERE buried_at IS NULL"
        return int(self.rows(sql)[0][0])

    def beat_pid(self) -> int:
        """Return the process that holds the schedule's lease; 0 if none does."""
        holders = self.rows("SELECT holder FROM monitoring_lease")
        return int(holders[0][0].split(":")[2]) if holders else 0

    def log(self) -> str:
        """Return what the processes have said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        """Kill what still lives, orphans too."""
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def deployment(
    folder: Path, *, template: Path | None = None, database_url: str = ""
) -> Iterator[Deployment]:
    """Yield a deployment and kill its processes afterwards.

    Its database is a copy of the template, or a new one at `database_url`.
    """
    env = _environment(folder, database_url)
    if template is None:
        manage(env, "migrate", "--verbosity", "0")
    else:
        shutil.copy(template, folder / template.name)
    running = Deployment(folder, env)
    try:
        yield running
    finally:
        running.end()


def migrated(folder: Path) -> Path:
    """Return an empty SQLite database with every table."""
    manage(_environment(folder, ""), "migrate", "--verbosity", "0")
    return folder / "oracle.sqlite3"


def _environment(folder: Path, database_url: str) -> dict[str, str]:
    return os.environ | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": "",
    }


@contextlib.contextmanager
def postgresql(server_url: str) -> Iterator[str]:
    """Yield the address of a new PostgreSQL database; drop it afterwards."""
    name = f"oracle_test_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield f"{server_url}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def wait_until(condition: Callable[[], Any], patience_s: float = _PATIENCE_S) -> None:
    """Return when it holds. Raises: AssertionError when it does not in time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(_PAUSE_S)


def is_alive(pid: int) -> bool:
    """Tell whether a process lives; a zombie does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
