"""Growing text, read by many at their own pace."""

import asyncio

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from chat.feeds import Delta, Ended, Event, Feed, Idle


async def _all(feed: Feed, after: int = 0) -> list[Event]:
    return [event async for event in feed.read(after)]


def _text(seen: list[Event]) -> str:
    return "".join(event.text for event in seen if isinstance(event, Delta))


@given(
    pieces=st.lists(st.text(max_size=5), max_size=8),
    after=st.integers(min_value=0, max_value=30),
)
def test_a_reader_gets_all_behind_its_place_and_nothing_else(
    pieces: list[str], after: int
) -> None:
    feed = Feed()
    for piece in pieces:
        feed.append(piece)
    feed.end()

    seen = asyncio.run(_all(feed, after))

    assert _text(seen) == "".join(pieces)[after:]
    assert seen[-1] == Ended()
    assert seen.count(Ended()) == 1


async def test_offsets_count_from_the_beginning_of_the_answer() -> None:
    feed = Feed("begun ")
    reading = asyncio.create_task(_all(feed))
    for word in ("and ", "ended"):
        await asyncio.sleep(0.01)
        feed.append(word)
    feed.end()

    seen = await reading

    assert seen == [Delta(6, "begun "), Delta(10, "and "), Delta(15, "ended"), Ended()]


async def test_readers_at_different_places_read_the_same_text() -> None:
    feed = Feed()
    places = [0, 3, 7, 20]
    readings = [asyncio.create_task(_all(feed, after)) for after in places]
    for piece in ("ab", "", "cdefg", "hijkl"):
        await asyncio.sleep(0)
        feed.append(piece)
    late = asyncio.create_task(_all(feed, 1))
    await asyncio.sleep(0)
    feed.end()

    texts = [_text(await reading) for reading in readings]

    assert texts == ["abcdefghijkl"[after:] for after in places]
    assert _text(await late) == "bcdefghijkl"


async def test_an_ended_answer_can_still_be_read() -> None:
    feed = Feed("all of it")
    feed.end()

    assert await _all(feed, 4) == [Delta(9, "of it"), Ended()]
    assert await _all(feed, 9) == [Ended()]


async def test_silence_gives_signs_of_life(settings: LazySettings) -> None:
    settings.SSE_COMMENT_INTERVAL_S = 0.02
    feed = Feed("text")
    reading = asyncio.create_task(_all(feed))

    await asyncio.sleep(0.15)
    feed.end()
    seen = await reading

    assert seen[0] == Delta(4, "text")
    assert seen[-1] == Ended()
    assert 2 <= seen.count(Idle()) <= 7


async def test_a_reader_that_leaves_disturbs_nobody() -> None:
    feed = Feed()
    leaving = asyncio.create_task(_all(feed))
    staying = asyncio.create_task(_all(feed))
    await asyncio.sleep(0)
    feed.append("first ")
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    feed.append("second")
    feed.end()

    assert _text(await staying) == "first second"
    assert not feed._readers


async def test_the_text_is_whole_however_it_came() -> None:
    feed = Feed("one ")
    assert feed.text() == "one "
    feed.append("two ")
    feed.append("three")

    assert feed.text() == "one two three"
    assert feed.length == len(feed.text())
    assert Feed().text() == ""
