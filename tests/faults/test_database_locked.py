"""A stranger holds the database's write lock."""

import asyncio
import time

import httpx2
import pytest

from tests import servers
from tests.faults import checker, store, streams
from tests.faults.api import Api
from tests.faults.chatters import Chatter

_TEXT = "Anybody? [[say words=3]]"
_LATE_S = (0, 1, 10)  # the later ones find others waiting already


async def test_a_lock_of_6_s_delays_writes_but_neither_reads_nor_streams(
    hardy_site: servers.Site, client: Api
) -> None:
    choir = await streams.open_many(client, 3, words=120, delay_ms=100)
    people = [Chatter(client) for _ in range(3)]
    enough = asyncio.Event()
    talking = [asyncio.create_task(one.talk_until(enough)) for one in people]

    with store.locked(hardy_site):
        before = [len(one.shown.text) for one in choir.streams]
        slowest_s = await _slowest_read_s(client, choir.streams[0].conversation_id)
        after = [len(one.shown.text) for one in choir.streams]
    enough.set()
    await asyncio.gather(*talking)

    sent = [one for person in people for one in person.sent]
    assert [one for one in await choir.ended() if not one.is_whole()] == []
    assert await checker.check(hardy_site, client, sent) == {}
    assert sum(one.refused_count for one in sent) == 0
    assert all(later > early for early, later in zip(before, after, strict=True))
    assert slowest_s < 3


@pytest.mark.slow
async def test_a_lock_of_60_s_refuses_writes_in_time_and_loses_no_answer(
    hardy_site: servers.Site, client: Api
) -> None:
    choir = await streams.open_many(client, 3, words=100, delay_ms=100)
    places = [await client.begin() for _ in range(3)]

    with store.locked(hardy_site):
        lock_ends = asyncio.create_task(asyncio.sleep(60))
        refusals = await asyncio.gather(
            *(
                _timed(client, place, after_s)
                for place, after_s in zip(places, _LATE_S, strict=True)
            )
        )
        await lock_ends

    for response, waited_s in refusals:
        assert response.status_code == 503
        assert response.json()["error_code"] == "DATABASE_ERROR"
        assert response.headers["Retry-After"]
        assert waited_s <= 22
    assert [one for one in await choir.ended() if not one.is_whole()] == []
    for place in places:
        assert (await client.say(place, _TEXT)).status_code == 200


async def _timed(
    client: Api, conversation_id: int, after_s: float
) -> tuple[httpx2.Response, float]:
    """Say something after a while; return the answer and how long it took."""
    await asyncio.sleep(after_s)
    started_at = time.monotonic()
    response = await client.say(conversation_id, _TEXT)
    return response, time.monotonic() - started_at


async def _slowest_read_s(client: Api, conversation_id: int) -> float:
    """Read for 6 s; return how long the slowest answer took."""
    slowest_s = 0.0
    until = time.monotonic() + 6
    while (started_at := time.monotonic()) < until:
        await client.messages(conversation_id)
        slowest_s = max(slowest_s, time.monotonic() - started_at)
        await asyncio.sleep(0.1)
    return slowest_s
