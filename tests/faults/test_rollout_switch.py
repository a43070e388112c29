"""Persistent sessions are killed or halved while people talk: it holds at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import servers
from tests.chat import persistent
from tests.faults import rollouts, store, streams, traffic
from tests.faults.api import Api
from tests.faults.rollouts import Opened
from tests.faults.traffic import all_of, at_least

_CLIENTS = 16
_SALT = "a salt that deals the same every time"
_KILLED = ("kill", "--reason", "a test")
_HALVED = ("percent", "25", "--reason", "a test")
_SILENT_AT_FIRST = "A story [[say words=5 first_ms=4500]]"
_NEXT = "And then? [[say words=3]]"


@dataclass(frozen=True, slots=True)
class Operated:
    """A site of four web processes, and somebody who operates it."""

    site: servers.Site
    console: rollouts.Console


@pytest.fixture(scope="module")
def operated(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operated]:
    """Each test sets the percent that it begins with, in conversations of its own."""
    with _operated(tmp_path_factory.mktemp("switched"), local_gemini) as running:
        yield running


@pytest.fixture
def dealt(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operated]:
    """A site whose conversations fall into the same buckets in every run."""
    with _operated(tmp_path_factory.mktemp("dealt"), local_gemini) as running:
        store.write(running.site, "UPDATE flags_flag SET salt = ?", _SALT)
        yield running


@contextmanager
def _operated(folder: Path, gemini_url: str) -> Iterator[Operated]:
    with (
        persistent.site(folder, gemini_url=gemini_url, workers=4) as site,
        rollouts.console(site) as console,
    ):
        yield Operated(site, console)


@dataclass(frozen=True, slots=True)
class Switch:
    """What was opened before and after a switch, and what was in flight."""

    at: str
    before: list[Opened]
    after: list[Opened]

    @property
    def in_flight(self) -> list[Opened]:
        """What was opened before and ended after it."""
        return [one for one in self.before if one.ended_at > self.at]

    def __str__(self) -> str:
        last = [one for one in self.before if one.is_persistent]
        newest = max(one.opened_at for one in last)
        ended = max(one.ended_at for one in last)
        exposed = sum(one.is_persistent for one in self.after)
        return (
            f"{len(self.before)} turns opened before, {len(self.after)} after the "
            f"commit; last one opened persistently "
            f"{rollouts.ms_between(newest, self.at):.1f} ms before it, last one of "
            f"these ended {rollouts.ms_between(self.at, ended):.1f} ms after it; "
            f"{len(self.in_flight)} in flight, of which "
            f"{sum(one.is_persistent for one in self.in_flight)} persistent; "
            f"{exposed} persistent after it; first turn after it opened "
            f"{rollouts.ms_between(self.at, self.after[0].opened_at):.1f} ms later"
        )


def _switch(site: servers.Site, conversations: list[int], at: str) -> Switch:
    turns = rollouts.opened(site, conversations)
    return Switch(
        at,
        before=[one for one in turns if one.opened_at < at],
        after=[one for one in turns if one.opened_at >= at],
    )


async def test_no_turn_that_opens_after_a_kill_is_persistent(
    operated: Operated,
) -> None:
    await _kill_in_traffic(operated, conversation_count=80, turn_count=150)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_none_of_a_thousand_turns_that_open_after_a_kill_is_persistent(
    dealt: Operated,
) -> None:
    await _kill_in_traffic(dealt, conversation_count=400, turn_count=1000)


async def _kill_in_traffic(
    operated: Operated, *, conversation_count: int, turn_count: int
) -> None:
    site = operated.site
    await operated.console.start_at(100)
    talk = operated.console.add_conversations(conversation_count)

    async with traffic.flowing(site, talk, clients=_CLIENTS) as flow:
        await flow.until(all_of(talk))
        killed_at = await rollouts.rollout(site, *_KILLED)
        flow.mark()
        await flow.until(at_least(turn_count))
        await flow.until(all_of(talk))

    switch = _switch(site, talk, killed_at)
    print(f"kill: {switch}")  # noqa: T201 - the figures, with pytest -s or on failure
    assert all(one.is_persistent for one in switch.before)
    assert len(switch.after) >= turn_count
    assert [one for one in switch.after if one.is_persistent] == []
    assert [one for one in flow.asked if one.was_persistent] == []
    assert {one.status for one in switch.before + switch.after} == {"complete"}
    assert rollouts.flips(site, talk) == {each: ["on off DISABLED"] for each in talk}
    assert rollouts.live(site, talk) == []


async def test_a_halved_rollout_flips_those_above_it_at_their_next_turn(
    operated: Operated,
) -> None:
    await _halve_in_traffic(operated, conversation_count=120)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_halved_rollout_is_measured_within_one_point_of_its_percent(
    dealt: Operated,
) -> None:
    share, halved = await _halve_in_traffic(dealt, conversation_count=10_000)

    assert share == pytest.approx(50, abs=1)
    assert halved == pytest.approx(25, abs=1)


async def _halve_in_traffic(
    operated: Operated, *, conversation_count: int
) -> tuple[float, float]:
    """Return the percent of conversations with a session, before and after."""
    site = operated.site
    await operated.console.start_at(50)
    talk = operated.console.add_conversations(conversation_count)
    place = rollouts.buckets(site, talk)
    above = [each for each in talk if 2500 <= place[each] < 5000]

    async with traffic.flowing(site, talk, clients=_CLIENTS) as flow:
        await flow.until(all_of(talk))
        halved_at = await rollouts.rollout(site, *_HALVED)
        flow.mark()
        await flow.until(all_of(talk))

    switch = _switch(site, talk, halved_at)
    shares = _percent_of(switch.before), _percent_of(switch.after)
    print(f"halved: {switch}; exposure {shares}")  # noqa: T201
    for turns, threshold in ((switch.before, 5000), (switch.after, 2500)):
        assert {one.conversation_id for one in turns} == set(talk)
        for one in turns:
            assert one.is_persistent is (place[one.conversation_id] < threshold), one
    assert {one.status for one in switch.before + switch.after} == {"complete"}
    assert rollouts.flips(site, talk) == {each: ["on off SPLIT"] for each in above}
    assert rollouts.live(site, above) == []
    return shares


def _percent_of(turns: list[Opened]) -> float:
    """Return how many of 100 conversations had persistent turns."""
    everybody = {one.conversation_id for one in turns}
    exposed = {one.conversation_id for one in turns if one.is_persistent}
    return 100 * len(exposed) / len(everybody)


@pytest.mark.parametrize("switch", [_KILLED, _HALVED], ids=["killed", "halved"])
async def test_an_answer_that_streams_through_the_switch_ends_with_its_session(
    operated: Operated, switch: tuple[str, ...]
) -> None:
    site, console = operated.site, operated.console
    await console.start_at(50)
    above, waiting, below = _two_above_and_one_below(operated)
    client = Api(site.url)

    async with client.http:
        for each in (above, waiting, below):
            await client.say(each, "Hello [[say words=3]]")
        silent = asyncio.create_task(client.say(waiting, _SILENT_AT_FIRST))
        choir = await streams.open_in(client, [above, below], words=100, delay_ms=50)
        while waiting not in {one.conversation_id for one in store.running(site)}:
            await asyncio.sleep(0.02)
        switched_at = await console.rollout(*switch)
        told = [one.is_whole() for one in await choir.ended()]
        told.append((await silent).json()["status"] == "complete")
        for each in (above, waiting, below):
            assert (await client.say(each, _NEXT)).status_code == 200

    assert told == [True, True, True]
    for each in (above, waiting, below):
        _, through, after = rollouts.opened(site, [each])
        assert through.opened_at < switched_at < through.ended_at
        assert (through.variant, through.strategy) == ("on", "history")
        stays = each == below and switch is _HALVED
        assert after.is_persistent is stays
        assert len(rollouts.flips(site, [each])) == (not stays)
        assert bool(rollouts.live(site, [each])) is stays


def _two_above_and_one_below(operated: Operated) -> tuple[int, int, int]:
    """Return conversations with 50 %; a rollout at 25 % sends the first two back."""
    talk = operated.console.add_conversations(100)
    place = rollouts.buckets(operated.site, talk)
    one, two, *_ = [each for each in talk if 2500 <= place[each] < 5000]
    return one, two, next(each for each in talk if place[each] < 2500)
