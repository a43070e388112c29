"""Readers leave, come back and meet another process: nobody waits for ever."""

import asyncio
import os
import signal

from tests import servers
from tests.faults import api, killing, store, streams
from tests.faults.api import Api, Shown


async def test_an_answer_goes_on_when_its_reader_leaves(client: Api) -> None:
    conversation_id, expected, _ = await streams.leave_early(client, words=40)

    answer = await streams.settled(client, conversation_id, within_s=20)

    assert (answer["status"], answer["content"]) == ("complete", expected)


async def test_a_reader_that_comes_back_to_another_process_gets_the_rest(
    hardy_site: servers.Site, client: Api
) -> None:
    conversation_id, expected, read = await streams.leave_early(client, words=100)
    owner = store.maker(hardy_site, conversation_id)
    shown = Shown(expected[:read])

    path = f"{conversation_id}/events"
    async with streams.not_served_by(owner, client, path, after=read) as response:
        last = await api.settle(response, shown)

    assert last is not None
    assert (last.name, last.data["status"]) == ("end", "complete")
    assert shown.text == expected


async def test_readers_are_told_when_the_process_of_their_answer_is_killed(
    hardy_site: servers.Site, client: Api
) -> None:
    conversation_id, expected, read = await streams.leave_early(client, words=80)
    owner = store.maker(hardy_site, conversation_id)
    shown = Shown(expected[:read])

    path = f"{conversation_id}/events"
    async with streams.not_served_by(owner, client, path, after=read) as response:
        await asyncio.sleep(1)
        os.kill(owner, signal.SIGKILL)
        async with asyncio.timeout(15):
            last = await api.settle(response, shown)

    assert last is not None
    assert last.name == "error"
    told = last.data["assistant_message"]
    assert (told["status"], told["content"]) == ("interrupted", shown.text)
    assert expected.startswith(shown.text)
    assert len(shown.text) > read


async def test_a_reader_whose_process_was_killed_learns_the_end_from_another_one(
    hardy_site: servers.Site, client: Api
) -> None:
    choir = await streams.open_many(client, 1, words=80, delay_ms=100)
    [one] = choir.streams
    await asyncio.sleep(1)
    owner = store.maker(hardy_site, one.conversation_id)
    os.kill(owner, signal.SIGKILL)
    await choir.ended()

    path = f"{one.conversation_id}/events"
    async with (
        asyncio.timeout(15),
        client.stream(path, after=len(one.shown.text)) as response,
    ):
        last = await api.settle(response, one.shown)

    if response.status_code == 200:
        assert last is not None
        assert last.data["assistant_message"]["status"] == "interrupted"
    else:
        assert response.status_code == 204
    answer = (await client.messages(one.conversation_id))[-1]
    assert answer["status"] == "interrupted"
    assert one.expected.startswith(answer["content"])
    assert await killing.all_gone({owner}, within_s=5)
    assert (await client.retry(one.conversation_id)).json()["status"] == "complete"
