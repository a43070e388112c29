"""The master process is killed, alone or with all its processes."""

import asyncio
import os
import signal

from tests.faults import killing, store, streams
from tests.faults.api import Api
from tests.faults.checker import MAX_UNSTORED_S
from tests.faults.conftest import NewSite


async def test_a_site_killed_as_a_whole_has_ended_its_answers_when_it_is_back(
    new_site: NewSite,
) -> None:
    site = new_site()
    client = Api(site.url)
    async with client.http:
        choir = await streams.open_many(client, 4, words=120, delay_ms=50)
        os.killpg(site.master.pid, signal.SIGKILL)
        broken = await choir.ended()
    assert len(store.running(site)) == 4

    again = new_site(site.data_dir)

    assert store.running(again) == []
    client = Api(again.url)
    async with client.http:
        for one in broken:
            answer = (await client.messages(one.conversation_id))[-1]
            assert answer["status"] == "interrupted"
            assert one.expected.startswith(answer["content"])
            assert one.shown.seconds_beyond(len(answer["content"])) <= MAX_UNSTORED_S
        retries = [client.retry(one.conversation_id) for one in broken]
        for retried in await asyncio.gather(*retries):
            assert retried.json()["status"] == "complete"
            answer = retried.json()["assistant_message"]
            assert answer["content"] == broken[0].expected


async def test_answers_outlive_a_master_that_was_killed_alone(
    new_site: NewSite,
) -> None:
    site = new_site()
    client = Api(site.url)
    async with client.http:
        choir = await streams.open_many(client, 4, words=60, delay_ms=100)
        orphans = set(site.worker_pids())

        site.master.kill()

        assert [one for one in await choir.ended() if not one.is_whole()] == []
    assert await killing.all_gone(orphans, within_s=60)
    assert store.running(site) == []
