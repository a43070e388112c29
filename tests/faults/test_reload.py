"""A reload or an orderly end finishes the answers in progress, or tells the readers."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import pytest

from tests import servers
from tests.faults import killing, store, streams
from tests.faults.api import Api
from tests.faults.conftest import NewSite


async def test_a_reload_finishes_twenty_open_streams_and_refuses_nobody(
    hardy_site: servers.Site, client: Api
) -> None:
    before = set(hardy_site.worker_pids())
    choir = await streams.open_many(client, 20, words=100, delay_ms=100)

    os.kill(hardy_site.master.pid, signal.SIGHUP)
    refusals = await _refusals_until(hardy_site, asyncio.gather(*choir.tasks))

    assert [one for one in await choir.ended() if not one.is_whole()] == []
    assert refusals == []
    assert await killing.all_gone(before, within_s=60)


async def test_a_reload_finishes_an_answer_that_nobody_reads(
    hardy_site: servers.Site, client: Api
) -> None:
    conversation_id, expected, _ = await streams.leave_early(client, words=60)

    os.kill(hardy_site.master.pid, signal.SIGHUP)

    answer = await streams.settled(client, conversation_id, within_s=30)
    assert (answer["status"], answer["content"]) == ("complete", expected)


@pytest.mark.slow
async def test_a_reload_finishes_an_answer_of_35_s_that_nobody_reads(
    hardy_site: servers.Site, client: Api
) -> None:
    conversation_id, expected, _ = await streams.leave_early(client, words=350)

    os.kill(hardy_site.master.pid, signal.SIGHUP)

    answer = await streams.settled(client, conversation_id, within_s=60)
    assert (answer["status"], answer["content"]) == ("complete", expected)


async def test_an_orderly_end_finishes_the_answers_and_then_exits(
    new_site: NewSite,
) -> None:
    site = new_site()
    async with _client(site) as client:
        choir = await streams.open_many(client, 10, words=50, delay_ms=100)

        site.master.terminate()

        assert [one for one in await choir.ended() if not one.is_whole()] == []
    assert await asyncio.to_thread(site.master.wait, 30) == 0
    assert store.running(site) == []


@pytest.mark.parametrize("end", [signal.SIGHUP, signal.SIGTERM])
async def test_an_answer_longer_than_the_grace_keeps_its_text_and_the_reader_is_told(
    new_site: NewSite, end: signal.Signals
) -> None:
    site = new_site(GRACEFUL_TIMEOUT_S="8")
    async with _client(site) as client:
        choir = await streams.open_many(client, 2, words=200, delay_ms=100)

        os.kill(site.master.pid, end)

        for one in await choir.ended():
            assert one.last is not None
            assert one.last.name == "error"
            told = one.last.data["assistant_message"]
            assert told["status"] == "interrupted"
            assert told["content"] == one.shown.text
            assert one.expected.startswith(one.shown.text)
            [attempt] = store.attempts(site, one.conversation_id)
            assert attempt["status"] == attempt["message_status"] == "interrupted"
            assert attempt["content"] == one.shown.text


@contextlib.asynccontextmanager
async def _client(site: servers.Site) -> AsyncIterator[Api]:
    client = Api(site.url)
    async with client.http:
        yield client


async def _refusals_until(
    site: servers.Site, done: "asyncio.Future[list[None]]"
) -> list[str]:
    """Chat on new and kept connections until `done`; return what was not answered."""
    fresh, kept = Api(site.url), Api(site.url, kept_connections=4)
    async with fresh.http, kept.http:
        refusals: list[str] = []
        while not done.done():
            for client in (fresh, kept):
                refusals += await _refusal(client)
            await asyncio.sleep(0.02)
        return refusals


async def _refusal(client: Api) -> list[str]:
    response = await client.say(await client.begin(), "Anybody? [[say words=3]]")
    return [] if response.status_code == 200 else [response.text]
