"""What is told of many turns is what was sent, although a process was killed."""

import asyncio
import bisect
import itertools
import os
import random
import signal
import time
from collections.abc import Iterator

import httpx2
import pytest

from tests import servers
from tests.faults import api, killing, store
from tests.faults.api import Api
from tests.faults.conftest import NewSite
from tests.monitoring import scraped

_TURNS = 2_000
_CLIENTS = 8
_WORDS = 4
_PAUSE_S = 0.1
_FLUSH_S = 1.0


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_totals_are_the_sum_of_what_was_sent_with_one_process_killed(
    new_site: NewSite,
) -> None:
    site = new_site()
    talking = Api(site.url, kept_connections=_CLIENTS)
    numbers = iter(range(_TURNS))
    answered: list[float] = []

    with servers.worker(site):
        async with talking.http, asyncio.TaskGroup() as people:
            for _ in range(_CLIENTS):
                people.create_task(_talk(talking, numbers, answered))
            people.create_task(_kill_one_midway(site))
        await asyncio.sleep(2)  # the last second is flushed, and dead answers are ended
        site.manage("run_job", "chat.reap_generations")

    _assert_nothing_is_missing(site)
    _assert_the_totals_are_the_rows(site)
    _assert_a_second_of_requests_is_missing_at_most(site, answered)


async def _talk(client: Api, numbers: Iterator[int], answered: list[float]) -> None:
    """Say the next thing until all is said, each until it was acknowledged.

    `answered` gets when each request was, in monotonic seconds.
    """
    conversation_id = await client.begin()
    answered.append(time.monotonic())
    for number in numbers:
        text = api.say(f"Number {number}.", words=_WORDS, delay_ms=1)
        for attempt in itertools.count():
            try:
                answer = await client.say(conversation_id, text, key=f"key-{number}")
            except httpx2.TransportError:
                await asyncio.sleep(_PAUSE_S)
                continue
            answered.append(time.monotonic())
            if answer.status_code != 409:
                assert answer.status_code == 200 or attempt, answer.text
                break
            await asyncio.sleep(_PAUSE_S)


async def _kill_one_midway(site: servers.Site) -> None:
    await killing.all_serve(site)
    while _turn_count(site) < _TURNS / 2:
        await asyncio.sleep(_PAUSE_S)
    os.kill(random.choice(site.worker_pids()), signal.SIGKILL)


def _turn_count(site: servers.Site) -> int:
    [row] = store.rows(site, "SELECT count(*) AS count FROM chat_generation")
    return int(row["count"])


def _assert_nothing_is_missing(site: servers.Site) -> None:
    said = store.rows(site, "SELECT client_key FROM chat_message WHERE role = 'user'")

    assert sorted(row["client_key"] for row in said) == sorted(
        f"key-{number}" for number in range(_TURNS)
    )


def _assert_the_totals_are_the_rows(site: servers.Site) -> None:
    told = scraped.samples(scraped.read(site.url))
    statuses = store.rows(
        site, "SELECT status, count(*) AS count FROM chat_generation GROUP BY status"
    )

    assert sum(row["count"] for row in statuses) == _TURNS
    for row in statuses:
        counted = scraped.of(told, "oracle_turns_total", status=row["status"])
        assert counted == row["count"], row


def _assert_a_second_of_requests_is_missing_at_most(
    site: servers.Site, answered: list[float]
) -> None:
    """The killed process had a second of counts that were not flushed yet."""
    told = scraped.samples(scraped.read(site.url))
    counted = scraped.of(told, "oracle_http_requests_total", method="POST") or 0
    busiest = max(
        bisect.bisect_left(answered, begin + _FLUSH_S) - index
        for index, begin in enumerate(answered)
    )
    missing = len(answered) - counted
    words = f"{counted:.0f} of {len(answered)} requests counted; {busiest} in a second"

    assert -_CLIENTS <= missing <= busiest, words
