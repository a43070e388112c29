"""Kills web processes in the middle of their answers and watches what becomes of it."""

import asyncio
import os
import random
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import psutil

from tests import servers
from tests.faults import checker, store
from tests.faults.api import Api
from tests.faults.chatters import Chatter, Sent

_LOOK_EVERY_S = 0.1
_WORKERS = 2
_PEACE_S = 5.0
_SERVES = re.compile(r"ASGI server listening.*\bpid=(\d+)")


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that was killed, and how many of its answers were running; `at` is
    monotonic."""

    pid: int
    at: float
    running_count: int


@dataclass(frozen=True, slots=True)
class Campaign:
    """What happened; times in seconds.

    `next_good_turn_s` has an entry for each kill with 5 s of peace after it.
    """

    faults: checker.Faults
    kills: list[Kill]
    turn_count: int
    retry_count: int
    broken_count: int
    refused_count: int
    longest_stuck_s: float
    longest_unstored_s: float
    next_good_turn_s: list[float]
    healed_s: list[float]

    def __str__(self) -> str:
        hits = sum(kill.running_count > 0 for kill in self.kills)
        good, healed = self.next_good_turn_s, self.healed_s
        return (
            f"{len(self.kills)} kills, {hits} in mid-stream; {self.turn_count} turns, "
            f"{self.broken_count} connections broken, {self.retry_count} retries, "
            f"{self.refused_count} refusals; "
            f"stuck at most {self.longest_stuck_s:.2f} s, "
            f"shown and not stored at most {self.longest_unstored_s:.2f} s; "
            f"kill to next good turn p50 {percentile(good, 50):.2f} s, "
            f"p95 {percentile(good, 95):.2f} s ({len(good)} kills); "
            f"broken to complete p95 {percentile(healed, 95):.2f} s; "
            f"faults: { {kind: len(found) for kind, found in self.faults.items()} }"
        )


async def campaign(
    site: servers.Site, *, kills: int, chatters: int, is_relentless: bool
) -> Campaign:
    """Let people chat while web processes are killed; then check every promise.

    A relentless one kills again before there is a new process, or in its first second.
    """
    client = Api(site.url)
    people = [Chatter(client) for _ in range(chatters)]
    enough = asyncio.Event()
    watch = _Watch(site)
    async with client.http, asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch.look())
        talking = [tasks.create_task(one.talk_until(enough)) for one in people]
        for _ in range(kills):
            if not is_relentless:
                await all_serve(site)
            await asyncio.sleep(random.uniform(0.3, 2.5 if is_relentless else 6))
            await watch.kill_one()
        enough.set()
        await asyncio.gather(*talking)
        watching.cancel()
        sent = [one for person in people for one in person.sent]
        faults = await checker.check(site, client, sent)
    return Campaign(
        faults=faults,
        kills=watch.kills,
        turn_count=len(sent),
        retry_count=sum(one.retry_count for one in sent),
        broken_count=sum(len(one.broken_at) for one in sent),
        refused_count=sum(one.refused_count for one in sent),
        longest_stuck_s=watch.longest_stuck_s,
        longest_unstored_s=checker.longest_unstored_s(site, sent),
        next_good_turn_s=_next_good_turns_s(watch.kills, sent),
        healed_s=[
            one.completed_at - one.broken_at[0]
            for one in sent
            if one.broken_at and one.completed_at
        ],
    )


class _Watch:
    """Kills, and measures how long a killed process's answers are called running."""

    def __init__(self, site: servers.Site) -> None:
        self.kills: list[Kill] = []
        self.longest_stuck_s = 0.0
        self._site = site

    async def kill_one(self) -> None:
        """Kill a process that is making an answer, at a moment of no choice."""
        owners = set[int]()
        deadline = time.monotonic() + 5
        while not owners and time.monotonic() < deadline:
            await asyncio.sleep(random.uniform(0, 0.4))
            living = set(self._site.worker_pids())
            owners = {one.pid for one in store.running(self._site)} & living
        pid = random.choice(sorted(owners) or self._site.worker_pids())
        count = sum(one.pid == pid for one in store.running(self._site))
        os.kill(pid, signal.SIGKILL)
        self.kills.append(Kill(pid, time.monotonic(), count))

    async def look(self) -> None:
        """Look for answers of the dead until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            killed_at = {kill.pid: kill.at for kill in self.kills}
            for one in store.running(self._site):
                if one.pid in killed_at:
                    stuck_s = time.monotonic() - killed_at[one.pid]
                    self.longest_stuck_s = max(self.longest_stuck_s, stuck_s)


def serving_pids(site: servers.Site) -> set[int]:
    """Return the web processes that have started and live."""
    started = {int(pid) for pid in _SERVES.findall(site.log())}
    return {pid for pid in started & set(site.worker_pids()) if _lives(pid)}


async def all_serve(site: servers.Site) -> None:
    """Return when every web process is there and has started."""
    while len(serving_pids(site)) < _WORKERS:
        await asyncio.sleep(_LOOK_EVERY_S)


async def all_gone(pids: set[int], *, within_s: float) -> bool:
    """Wait until none of these processes is left; False when some stay."""
    deadline = time.monotonic() + within_s
    while any(map(_lives, pids)) and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_EVERY_S)
    return not any(map(_lives, pids))


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that `percent` of all don't exceed; 0 when there are none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def _next_good_turns_s(kills: Sequence[Kill], sent: Sequence[Sent]) -> list[float]:
    """Return when after each kill the first attempt begun after it was complete.

    Kills that were followed by the next one too soon to tell are left out.
    """
    good = [(one.begun_at[-1], one.completed_at) for one in sent if one.completed_at]
    nexts = [kill.at for kill in kills[1:]] + [inf]
    return [
        min(
            (ended_at - kill.at for begun_at, ended_at in good if begun_at > kill.at),
            default=inf,
        )
        for kill, next_at in zip(kills, nexts, strict=True)
        if next_at - kill.at > _PEACE_S
    ]
