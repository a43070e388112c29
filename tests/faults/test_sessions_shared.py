"""Live sessions over two web processes, with few places, and without any worker."""

import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from tests import clients, people, servers
from tests.chat import persistent
from tests.chat.persistent import outcome, sent, wire
from tests.clients import Api
from tests.faults import api as paced
from tests.faults import killing, rollouts, store, streams, traffic
from tests.faults.conftest import NewSite

_SHORT = "[[say words=4]]"
_BAD = ("[[cut after=3]]", "[[blocked]]")
_STEPS = 36


@pytest.fixture(scope="module")
def site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """Two web processes; a recovery takes along every message."""
    folder = tmp_path_factory.mktemp("shared")
    with persistent.site(
        folder,
        gemini_url=local_gemini,
        workers=2,
        MAX_RECOVERY_HISTORY_MESSAGES="1000",
    ) as running:
        clients.until(lambda: len(killing.serving_pids(running)) == 2, within_s=30)
        yield running


@pytest.fixture
def workers(site: servers.Site) -> Iterator[tuple[Api, Api]]:
    first, second = sorted(killing.serving_pids(site))
    with (
        clients.on_worker(site.url, first) as one,
        clients.on_worker(site.url, second) as two,
    ):
        yield one, two


@pytest.fixture
def marker() -> str:
    return uuid.uuid4().hex


def test_a_conversation_that_changes_its_process_is_told_whole_and_in_the_same_bytes(
    site: servers.Site, workers: tuple[Api, Api], local_gemini: str, marker: str
) -> None:
    one, two = workers
    session_id = one.begin()
    steps = [
        (one, "[[thoughts]] One", "created"),
        (two, "Two", "recovered"),
        (one, "Three", "topped_up"),
        (one, "Four", "hit"),
        (two, "[[thoughts]] Five", "topped_up"),
        (two, "Six", "hit"),
        (one, "Seven", "topped_up"),
    ]

    turns = [api.say(session_id, f"{text} {marker}") for api, text, _ in steps]

    assert [outcome(site, turn)[1] for turn in turns] == [each for *_, each in steps]
    bodies = sent(local_gemini, marker)
    assert len(bodies) == len(steps)
    for before, after in pairwise(bodies):
        assert wire(after).startswith(wire(before)[:-1])
    said = one.messages(session_id)
    assert _heard(bodies[-1]) == _told(said[:-1])
    assert len(persistent.live(site, session_id)) == 2


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_no_message_is_missing_and_none_is_told_twice(
    site: servers.Site,
    workers: tuple[Api, Api],
    local_gemini: str,
    marker: str,
    seed: int,
) -> None:
    chance = random.Random(seed)
    session_id = workers[0].begin()
    seen, last_id = set(), 0
    for number in range(_STEPS):
        api = chance.choice(workers)
        what = chance.choice(["", "", "", _SHORT, "[[thoughts]]", *_BAD])
        if chance.random() < 0.1:
            _close(site, session_id)
        question = f"{what} Turn {number} of {marker}".strip()

        api.ask(session_id, question)

        *before, _, _ = api.messages(session_id)
        [*_, newest] = _requests(local_gemini, marker, since=last_id)
        last_id = newest["id"]
        assert _heard(newest["body"]) == [*_told(before), f"user: {question}"]
        seen.add(_newest_outcome(site, session_id))
    assert seen == {"created", "hit", "topped_up", "recovered"}


def _requests(url: str, marker: str, *, since: int) -> list[dict[str, Any]]:
    """Return the requests with this text that came after one."""
    noted = httpx2.get(f"{url}/_local/requests", params={"since": since}).json()
    return [entry for entry in noted if marker in str(entry["body"])]


def _heard(body: dict[str, Any]) -> list[str]:
    """Return what the model was told, without its own thoughts."""
    return [
        f"{content['role']}: "
        + "".join(p["text"] for p in content["parts"] if not p.get("thought"))
        for content in body["contents"]
    ]


def _told(said: list[dict[str, Any]]) -> list[str]:
    """Return what the model is to know of these messages, in their order."""
    roles = {"user": "user", "assistant": "model"}
    blocked = {
        question["id"]
        for question, answer in zip(said[::2], said[1::2], strict=False)
        if answer["status"] == "blocked"
    }
    return [
        f"{roles[each['role']]}: {each['content']}"
        for each in said
        if each["id"] not in blocked and each["status"] != "blocked" and each["content"]
    ]


def _newest_outcome(site: servers.Site, session_id: int) -> str:
    [newest] = store.rows(
        site,
        "SELECT session_outcome FROM chat_generation WHERE conversation_id = ?"
        " ORDER BY id DESC LIMIT 1",
        session_id,
    )
    return str(newest["session_outcome"])


def _close(site: servers.Site, session_id: int) -> None:
    """Close a conversation's sessions everywhere, as an operator would."""
    statement = "DELETE FROM chat_livesession WHERE conversation_id = ?"
    store.write(site, statement, session_id)


async def test_five_places_for_twelve_conversations_are_never_exceeded(
    new_site: NewSite,
) -> None:
    site = new_site(
        None,
        **persistent.EVERYBODY,
        MAX_PERSISTENT_SESSIONS="5",
        CLEANUP_BATCH_SIZE="2",
    )
    client = paced.Api(site.url)
    async with client.http:
        talk = [await client.begin() for _ in range(12)]
        with _counted(site) as counts:
            async with traffic.flowing(site, talk, clients=6) as flow:
                await flow.until(traffic.at_least(120))
                await flow.until(traffic.all_of(talk))
            choir = await streams.open_in(client, talk, words=30, delay_ms=40)
            assert all(one.is_whole() for one in await choir.ended())

    assert max(counts) in {4, 5}
    turns = rollouts.opened(site, talk)
    assert {(one.variant, one.status) for one in turns} == {("on", "complete")}


@contextmanager
def _counted(site: servers.Site) -> Iterator[list[int]]:
    """Yield how many sessions there are at every look, as often as one can look."""
    counts: list[int] = []
    is_over = threading.Event()

    def look() -> None:
        with store.opened(site) as connection:
            while not is_over.wait(0.002):
                found = connection.execute("SELECT count(*) FROM chat_livesession")
                counts.append(found.fetchone()[0])

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield counts
    finally:
        is_over.set()
        looking.join()


def test_without_worker_and_schedule_pages_and_turns_work_and_sessions_expire(
    new_site: NewSite,
) -> None:
    site = new_site(
        None,
        **persistent.EVERYBODY,
        PERSISTENT_SESSION_TIMEOUT="60",
        CLEANUP_INTERVAL="30",
    )
    with (
        closing(people.visitor_by_cookie(site.url)) as visitor,
        clients.on_worker(site.url, min(killing.serving_pids(site))) as api,
    ):
        session_id = api.begin()
        turns = [api.say(session_id, f"One {_SHORT}")]
        for idle_s in (50, 61):
            _age(site, session_id, idle_s=idle_s)
            turns.append(api.say(session_id, f"{idle_s} seconds later {_SHORT}"))
        page = visitor.get("/")
        health = httpx2.get(f"{site.url}/health")

    assert [outcome(site, turn)[1:] for turn in turns] == [
        ("created", ""),
        ("hit", ""),
        ("recovered", "closed"),
    ]
    assert page.status_code == 200
    assert "Hello" in page.text
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert health.json()["services"]["background_jobs"] == "late"
    assert health.json()["services"]["persistent_sessions"] == "enabled"


def _age(site: servers.Site, session_id: int, *, idle_s: int) -> None:
    """Let a conversation's only session be unused for so long."""
    [row] = persistent.live(site, session_id)
    used_at = datetime.fromisoformat(row["used_at"]) - timedelta(seconds=idle_s)
    statement = "UPDATE chat_livesession SET used_at = ? WHERE id = ?"
    assert store.write(site, statement, str(used_at), row["id"]) == 1
