"""A web process that stands still loses its answers and can't write when it wakes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests import servers
from tests.faults import killing, store, streams
from tests.faults.api import Api
from tests.faults.conftest import NewSite


async def test_a_process_that_slept_can_not_write_over_what_came_after(
    new_site: NewSite,
) -> None:
    site = new_site(HEARTBEAT_STALE_S="4")
    client = Api(site.url)
    async with client.http:
        await killing.all_serve(site)
        for words in (60, 150):  # upstream has ended, or still streams, when it wakes
            await _sleep_through_a_retry(site, client, words=words, asleep_s=8)


@pytest.mark.slow
async def test_the_same_holds_with_the_default_limits_after_20_s(
    new_site: NewSite,
) -> None:
    site = new_site()
    client = Api(site.url)
    async with client.http:
        await killing.all_serve(site)
        await _sleep_through_a_retry(site, client, words=300, asleep_s=20)


async def _sleep_through_a_retry(
    site: servers.Site, client: Api, *, words: int, asleep_s: float
) -> None:
    """The other process ends the sleeper's answer and makes a new one meanwhile."""
    conversation_id, expected, _ = await streams.leave_early(client, words=words)
    sleeper = store.maker(site, conversation_id)

    async with _frozen(site, sleeper):
        async with (
            asyncio.timeout(asleep_s),
            client.stream(f"{conversation_id}/events") as response,
        ):
            last = await streams.last_event(response)
        assert last.name == "error"
        [old] = store.attempts(site, conversation_id)
        assert (old["status"], old["error_reason"]) == ("interrupted", "process_ended")
        retried = asyncio.create_task(client.retry(conversation_id))
        await asyncio.sleep(0.5)
    turn = (await retried).json()
    await asyncio.sleep(3)

    assert turn["assistant_message"]["content"] == expected
    first, second = store.attempts(site, conversation_id)
    assert first == old
    assert (second["status"], second["content"]) == ("complete", expected)
    assert sleeper in site.worker_pids()


@asynccontextmanager
async def _frozen(site: servers.Site, pid: int) -> AsyncIterator[None]:
    """Stop a process while it does not hold the write lock."""
    os.kill(pid, signal.SIGSTOP)
    while store.is_locked(site):
        os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(0.05)
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
