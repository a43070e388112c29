"""Live sessions die with their process or are closed at a start: no word is lost."""

import asyncio
import os
import signal
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests import clients, servers
from tests.chat import persistent
from tests.chat.persistent import outcome, sent, texts
from tests.clients import Api
from tests.faults import killing, store
from tests.faults.api import say, spoken
from tests.faults.conftest import NewSite
from tests.faults.workers import is_alive

_DOOMED_COUNT, _OTHER_COUNT = 200, 5
_TALKERS = 8
_FORCED = persistent.EVERYBODY | {"FORCE_CLEANUP_ON_STARTUP": "true"}
_SHORT = "[[say words=3]]"
_ADD_OF_ANOTHER_HOST = """
INSERT INTO chat_livesession (conversation_id, process, strategy, version,
    message_count, size_bytes, created_at, used_at)
SELECT conversation_id, 'elsewhere:boot:1:1', strategy, version, message_count,
    size_bytes, created_at, used_at FROM chat_livesession LIMIT 1
"""


@pytest.fixture(scope="module")
def mourned_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site whose processes are killed and replaced."""
    folder = tmp_path_factory.mktemp("mourned")
    with persistent.site(folder, gemini_url=local_gemini, workers=2) as running:
        yield running


@pytest.fixture
def site(mourned_site: servers.Site) -> servers.Site:
    """That site, with both processes there and without a session."""
    clients.until(lambda: len(killing.serving_pids(mourned_site)) == 2, within_s=30)
    store.write(mourned_site, "DELETE FROM chat_livesession")
    return mourned_site


def test_what_a_killed_process_held_is_recovered_and_its_rows_are_closed(
    site: servers.Site, local_gemini: str
) -> None:
    doomed, other = sorted(killing.serving_pids(site))
    before = persistent.totals(site)
    lost = _say_in_many(site, doomed)
    with clients.on_worker(site.url, other) as api:
        kept = [api.begin() for _ in range(_OTHER_COUNT)]
        for each in kept:
            api.say(each, f"First {_SHORT}")
        assert _held(site) == {doomed: _DOOMED_COUNT, other: _OTHER_COUNT}

        os.kill(doomed, signal.SIGKILL)
        some = lost[:10]
        recovered = [api.say(each, f"Second {each}. {_SHORT}") for each in some]
        hits = [api.say(each, f"Second {_SHORT}") for each in kept]
        # Whoever takes its place closes what it held.
        clients.until(lambda: doomed not in _held(site), within_s=30)

    assert {outcome(site, turn) for turn in recovered} == {("history", "recovered", "")}
    assert {outcome(site, turn) for turn in hits} == {("history", "hit", "")}
    for each in some:
        [body] = sent(local_gemini, f"Second {each}. ")
        assert texts(body) == [
            f"user: First {_SHORT}",
            f"model: {spoken('First', words=3)}",
            f"user: Second {each}. {_SHORT}",
        ]
    live = _OTHER_COUNT + len(some)
    assert _held(site) == {other: live}
    assert _active(site) == live
    orphaned = persistent.totals(site)["sessions_orphaned"]
    assert orphaned - before.get("sessions_orphaned", 0) == _DOOMED_COUNT


def test_an_answer_killed_with_its_session_is_made_anew_with_the_whole_history(
    site: servers.Site, local_gemini: str
) -> None:
    doomed, other = sorted(killing.serving_pids(site))
    marker = uuid.uuid4().hex
    story = say("A long story", words=60, delay_ms=50)
    with clients.on_worker(site.url, doomed) as api:
        session_id = api.begin()
        api.say(session_id, f"First {marker} {_SHORT}")
        with api.stream(session_id, story) as events:
            next(event for event in events if event.name == "delta")
            os.kill(doomed, signal.SIGKILL)

    clients.until(lambda: not is_alive(doomed))
    with clients.on_worker(site.url, other) as api:
        turn = api.call("POST", f"{session_id}/retry").json()

    assert turn["assistant_message"]["content"] == spoken(story, words=60)
    assert outcome(site, turn) == ("history", "recovered", "")
    _, broken, anew = sent(local_gemini, marker)
    assert [text.split(":")[0] for text in texts(anew)] == ["user", "model", "user"]
    assert texts(anew) == texts(broken)


async def test_a_server_that_starts_closes_every_session_once_if_it_is_told_to(
    new_site: NewSite,
) -> None:
    site = new_site(None, **_FORCED)
    held = _say_in_three(site)
    assert store.write(site, _ADD_OF_ANOTHER_HOST) == 1
    os.killpg(site.master.pid, signal.SIGKILL)
    site.master.wait()

    again = new_site(site.data_dir, **_FORCED)
    await killing.all_serve(again)

    assert _held(again) == {}
    assert _forced(again) == 1  # the others' processes are dead: that goes by itself
    await _require_that_replaced_processes_close_none(again, held)


async def _require_that_replaced_processes_close_none(
    site: servers.Site, conversations: list[int]
) -> None:
    """One is killed; then all are replaced by a reload."""
    count = _forced(site)
    doomed, other = sorted(killing.serving_pids(site))
    with clients.on_worker(site.url, other) as api:
        turns = [api.say(each, f"Second {_SHORT}") for each in conversations]
        os.kill(doomed, signal.SIGKILL)
        await _replaced(site, {doomed})
        again = [api.say(each, f"Third {_SHORT}") for each in conversations]

    assert {outcome(site, turn)[1] for turn in turns} == {"recovered"}
    assert {outcome(site, turn)[1] for turn in again} == {"hit"}

    before = killing.serving_pids(site)
    assert store.write(site, _ADD_OF_ANOTHER_HOST) == 1
    os.kill(site.master.pid, signal.SIGHUP)
    await _replaced(site, before)

    # Each process took its own sessions along; the one of another host stays.
    assert sum(_held(site).values()) == 1
    assert _forced(site) == count


@pytest.mark.slow
async def test_a_server_that_starts_closes_nothing_if_it_is_not_told_to(
    new_site: NewSite,
) -> None:
    site = new_site(None, **persistent.EVERYBODY)
    held = _say_in_three(site)
    assert store.write(site, _ADD_OF_ANOTHER_HOST) == 1
    os.killpg(site.master.pid, signal.SIGKILL)
    site.master.wait()

    again = new_site(site.data_dir, **persistent.EVERYBODY)

    assert sum(_held(again).values()) == 1  # of another host
    with Api(again.url) as api:
        turns = [api.say(each, f"Second {_SHORT}") for each in held]
    assert {outcome(again, turn)[1] for turn in turns} == {"recovered"}
    assert again.manage("sessions", "cleanup").startswith("Closed 0 session(s); 4 left")


def _say_in_many(site: servers.Site, pid: int) -> list[int]:
    """Begin conversations that this process holds the sessions of."""

    def some() -> list[int]:
        with clients.on_worker(site.url, pid) as api:
            begun = [api.begin() for _ in range(_DOOMED_COUNT // _TALKERS)]
            for each in begun:
                api.say(each, f"First {_SHORT}")
            return begun

    with ThreadPoolExecutor(_TALKERS) as pool:
        parts = [pool.submit(some) for _ in range(_TALKERS)]
        return [each for part in parts for each in part.result()]


def _say_in_three(site: servers.Site) -> list[int]:
    with Api(site.url) as api:
        begun = [api.begin() for _ in range(3)]
        for each in begun:
            api.say(each, f"First {_SHORT}")
    return begun


async def _replaced(site: servers.Site, old: set[int]) -> None:
    """Return when others serve in the place of these."""
    while len(killing.serving_pids(site) - old) < 2 or old & set(site.worker_pids()):
        await asyncio.sleep(0.1)


def _held(site: servers.Site) -> dict[int, int]:
    """Return by process id how many sessions are registered."""
    rows = store.rows(site, "SELECT process FROM chat_livesession")
    return dict(Counter(int(row["process"].rsplit(":", 2)[1]) for row in rows))


def _forced(site: servers.Site) -> int:
    return persistent.totals(site).get("sessions_forced", 0)


def _active(site: servers.Site) -> int:
    """Return how many live sessions `/health` tells of."""
    health = httpx2.get(f"{site.url}/health").json()
    count: int = health["session_metrics"]["persistent_sessions_active"]
    return count
