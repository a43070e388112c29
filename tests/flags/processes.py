"""Real processes that share a database and do as they are told, line by line."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.faults.workers import postgresql
from tests.servers import ROOT, manage

_SERVER = os.environ.get("TEST_POSTGRESQL_URL", "postgres://postgres@127.0.0.1:5432")

_LISTEN = """
import os
import signal
import sys
from datetime import datetime
from django.utils import timezone
from flags import acting, changes, evaluation, orders, plan_store, rollouts, runtime
from flags.changes import Actor
from flags.conf import FLAG, PERCENT, USE
from flags.errors import Conflict
from flags.models import Change, Decision, Rollout
from flags.rollouts import Order
from monitoring import notify
from monitoring.models import Alert, Incident

def apply(name, wanted, seen=None):
    actor = Actor(name, Change.Channel.COMMAND)
    try:
        changes.apply(wanted, actor=actor, reason="Test.", seen=seen)
    except Conflict as error:
        return "conflict: %s" % error
    return "applied"

def begin():
    order = Order(actor=Actor("alice", Change.Channel.COMMAND), reason="Go.")
    plan = plan_store.find("guide")
    now = datetime.fromisoformat("2026-05-04T12:00+00:00")
    return rollouts.start(plan, order, now=now, without_drill=True).pk

def tick(moment):
    return rollouts.tick(datetime.fromisoformat(moment)) is not None

def give(name, verb, seen=None):
    order = Order(actor=Actor(name, Change.Channel.COMMAND), reason="Because.")
    rollout = rollouts.watched()
    try:
        now = timezone.now()
        answer = orders.give(verb, rollout, order, now=now, seen_version=seen)
    except Conflict as error:
        return "conflict: %s" % error
    return "done" if answer.is_new else "already"

def die_after_deciding():
    carry_out = acting.carry_out
    def killed(*args, **options):
        carry_out(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)
    acting.carry_out = killed

print("ready", flush=True)
for line in sys.stdin:
    print(eval(line), flush=True)
"""


class Process:
    """A process that evaluates a line of Python and prints what it is."""

    def __init__(self, env: dict[str, str]) -> None:
        self.running = subprocess.Popen(
            [
                *(sys.executable, "manage.py", "shell"),
                *("--no-imports", "-v", "0", "-c", _LISTEN),
            ],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.answer() == "ready"

    def send(self, line: str) -> None:
        """Let it begin."""
        assert self.running.stdin is not None
        self.running.stdin.write(f"{line}\n")
        self.running.stdin.flush()

    def answer(self) -> str:
        """Wait for what it prints."""
        assert self.running.stdout is not None
        return self.running.stdout.readline().strip()

    def ask(self, line: str) -> str:
        """Return what a line of Python is there."""
        self.send(line)
        return self.answer()

    def end(self) -> None:
        """Let it end."""
        self.running.communicate(timeout=10)


def migrated(folder: Path, **given: str) -> dict[str, str]:
    """Make a database in a folder; return the environment of its processes."""
    env = os.environ | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(folder),
        "DATABASE_URL": "",
        **given,
    }
    manage(env, "migrate", "--verbosity", "0", "--skip-checks")
    return env


@contextlib.contextmanager
def on_postgresql(folder: Path) -> Iterator[dict[str, str]]:
    """The same with a database on PostgreSQL; skips the test where none answers."""
    try:
        psycopg.connect(f"{_SERVER}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL answers at TEST_POSTGRESQL_URL (127.0.0.1:5432)")
    with postgresql(_SERVER) as url:
        yield migrated(folder, DATABASE_URL=url)


@contextlib.contextmanager
def processes(env: dict[str, str], count: int) -> Iterator[list[Process]]:
    """Run some processes on one database."""
    running = [Process(env) for _ in range(count)]
    try:
        yield running
    finally:
        for process in running:
            process.end()
