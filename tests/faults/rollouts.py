"""Switches a rollout while people talk, and reads what became of it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flags.bucketing import bucket
from tests import servers
from tests.faults import store

FLAG = "persistent_sessions"
_OBEY = """
import io, json, sys
from django.core.management import call_command
from chat import ownership
from chat.models import Conversation

def rollout(*arguments):
    call_command("rollout", *arguments, stdout=io.StringIO())

def add(count):
    owner = ownership.local_owner()
    made = Conversation.objects.bulk_create(
        Conversation(owner=owner, title="A thread", model="gemini-3.8-flash")
        for _ in range(count)
    )
    return [each.pk for each in made]

print("ready", flush=True)
for line in sys.stdin:
    word, *arguments = json.loads(line)
    print(json.dumps({"rollout": rollout, "add": add}[word](*arguments)), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """An attempt at an answer; the times are the database's, in the order of commits.

    SQLite lets one write at a time, and every such time is taken while it writes.
    """

    conversation_id: int
    opened_at: str
    ended_at: str
    status: str
    variant: str
    strategy: str

    @property
    def is_persistent(self) -> bool:
        """Whether it had a session, or was to have one."""
        return self.variant == "on" or self.strategy != "stateless"


class Console:
    """A `manage.py shell` that has started: what it is told takes effect at once."""

    def __init__(self, site: servers.Site, process: "subprocess.Popen[str]") -> None:
        self._site = site
        self._process = process

    async def rollout(self, *arguments: str) -> str:
        """Run `manage.py rollout …`; return when the newest change was committed."""
        await asyncio.to_thread(self._do, "rollout", *arguments)
        return switched_at(self._site)

    async def start_at(self, percent: int) -> None:
        """Bring the rollout to a percent, whatever was switched before."""
        reason = ("--enable", "--reason", "a test begins")
        await self.rollout("percent", str(percent), *reason)

    def add_conversations(self, count: int) -> list[int]:
        """Add empty conversations of this host; return their ids."""
        made: list[int] = self._do("add", count)
        return made

    def _do(self, *call: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(call)}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def console(site: servers.Site) -> Iterator[Console]:
    """Yield a console when it is ready."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-v", "0", "-c", _OBEY],
        cwd=servers.ROOT,
        env=site.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Console(site, process)


async def rollout(site: servers.Site, *arguments: str) -> str:
    """Run `manage.py rollout …` beside what goes on; return when it was committed."""
    await asyncio.to_thread(site.manage, "rollout", *arguments)
    return switched_at(site)


def switched_at(site: servers.Site) -> str:
    """Return when the newest change was made."""
    [newest] = store.rows(
        site, "SELECT created_at FROM flags_change ORDER BY id DESC LIMIT 1"
    )
    return str(newest["created_at"])


def opened(site: servers.Site, among: Collection[int]) -> list[Opened]:
    """Return every attempt in these conversations, in the order of their opening."""
    wanted = set(among)
    found = store.rows(
        site,
        "SELECT conversation_id, created_at AS opened_at, ended_at, status, variant,"
        " strategy FROM chat_generation ORDER BY id",
    )
    return [Opened(**row) for row in found if row["conversation_id"] in wanted]


def flips(site: servers.Site, among: Collection[int]) -> dict[int, list[str]]:
    """Return by conversation how it changed its variant: `on off REASON` each."""
    wanted, found = set(among), dict[int, list[str]]()
    for row in store.rows(site, "SELECT * FROM chat_variantchange ORDER BY id"):
        if row["conversation_id"] in wanted:
            words = f"{row['old']} {row['new']} {row['reason']}"
            found.setdefault(row["conversation_id"], []).append(words)
    return found


def live(site: servers.Site, among: Collection[int]) -> list[dict[str, Any]]:
    """Return the registered sessions of these conversations."""
    wanted = set(among)
    found = store.rows(site, "SELECT * FROM chat_livesession ORDER BY id")
    return [row for row in found if row["conversation_id"] in wanted]


def buckets(site: servers.Site, among: Collection[int]) -> dict[int, int]:
    """Return each conversation's place on the scale of 10,000."""
    [row] = store.rows(site, "SELECT salt FROM flags_flag WHERE name = ?", FLAG)
    return {
        each: bucket(flag_key=FLAG, targeting_key=str(each), salt=row["salt"])
        for each in among
    }


def ms_between(start: str, end: str) -> float:
    """Return how many milliseconds lie between two times of the database."""
    apart = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return apart.total_seconds() * 1000
