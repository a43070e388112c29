"""A conversation with a live session: what is sent, what is kept, what is counted."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from tests import clients, servers
from tests.chat import persistent
from tests.chat.persistent import live, outcome, sent, texts, totals, wire
from tests.clients import Api
from tests.faults import store

Said = dict[str, Any]


@pytest.fixture(scope="module")
def site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """One worker, so that every turn meets the same pool."""
    folder = tmp_path_factory.mktemp("persistent")
    with persistent.site(folder, gemini_url=local_gemini) as running:
        yield running


def test_the_first_turn_creates_a_session_and_the_next_ones_hit_it(
    site: servers.Site, api: Api, marker: str
) -> None:
    session_id = api.begin()

    turns = [api.say(session_id, f"Turn {number} {marker}") for number in range(3)]

    assert [outcome(site, turn) for turn in turns] == [
        ("history", "created", ""),
        ("history", "hit", ""),
        ("history", "hit", ""),
    ]
    infos = [turn["performance_info"] for turn in turns]
    assert [info["cache_hit"] for info in infos] == [False, True, True]
    assert all(info["used_persistent_session"] for info in infos)


def test_each_request_begins_with_the_bytes_of_the_one_before(
    site: servers.Site, api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin(personality="technical")
    for number in range(4):
        api.say(session_id, f'Číslo {number} "{marker}" \u2028')

    requests = clients.requests(local_gemini, marker)

    bodies = [request["body"] for request in requests]
    assert len(bodies) == 4
    for request in requests:
        raw = json.dumps(request["body"])
        assert len(raw) == int(request["headers"]["content-length"])
    for before, after in pairwise(bodies):
        assert wire(after).startswith(wire(before)[:-1])
        assert after["systemInstruction"] == before["systemInstruction"]
    assert [len(body["contents"]) for body in bodies] == [1, 3, 5, 7]


def test_what_is_sent_is_the_whole_conversation_and_no_transcript(
    api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    first = api.say(session_id, f"One {marker}")

    api.say(session_id, f"Two {marker}")

    [_, body] = sent(local_gemini, marker)
    assert texts(body) == [
        f"user: One {marker}",
        f"model: {first['assistant_message']['content']}",
        f"user: Two {marker}",
    ]


def test_the_model_knows_the_prefix_again(api: Api) -> None:
    session_id = api.begin()
    api.say(session_id, "A beginning of several words")

    info = api.say(session_id, "And more")["performance_info"]

    assert 0 < info["cached_tokens"] < info["prompt_tokens"]
    assert info["token_usage_optimized"] is True


def test_messages_that_a_session_missed_are_added_behind_it(
    site: servers.Site, api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    api.say(session_id, f"One {marker}")
    broken = api.ask(session_id, f"[[cut after=3]] Two {marker}").json()
    assert broken["error_code"] == "GEMINI_API_ERROR"

    turn = api.say(session_id, f"Three {marker}")

    *_, before, after = sent(local_gemini, marker)
    assert outcome(site, turn) == ("history", "topped_up", "")
    assert turn["performance_info"]["cache_hit"] is False
    assert wire(after).startswith(wire(before)[:-1])
    assert [text.split(":")[0] for text in texts(after)] == [
        *("user", "model", "user", "model", "user"),
    ]


def test_a_retry_replaces_the_broken_answer_and_hits_the_session(
    site: servers.Site, api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    api.say(session_id, f"One {marker}")
    api.ask(session_id, f"[[cut after=3 times=1 key={marker}]] Two")

    turn = api.call("POST", f"{session_id}/retry").json()
    again = api.say(session_id, f"Three {marker}")

    body = sent(local_gemini, f"Three {marker}")[-1]
    assert outcome(site, turn) == ("history", "hit", "")
    assert outcome(site, again) == ("history", "hit", "")
    assert texts(body)[3] == f"model: {turn['assistant_message']['content']}"
    assert len(texts(body)) == 5


def test_a_continued_answer_stands_whole_in_the_session(
    site: servers.Site, api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    api.say(session_id, f"One {marker}")
    api.ask(session_id, f"[[cut after=3 times=1 key={marker}]] Two")

    turn = api.call("POST", f"{session_id}/continue").json()
    again = api.say(session_id, f"Three {marker}")

    body = sent(local_gemini, f"Three {marker}")[-1]
    assert outcome(site, turn)[1] == "hit"
    assert outcome(site, again)[1] == "hit"
    assert texts(body)[3] == f"model: {turn['assistant_message']['content']}"


@pytest.mark.parametrize("directive", ["blocked", "safety after=4"])
def test_a_blocked_turn_stays_out_of_the_session(
    site: servers.Site, api: Api, local_gemini: str, marker: str, directive: str
) -> None:
    session_id = api.begin()
    api.say(session_id, "Harmless")
    api.ask(session_id, f"[[{directive}]] Harmful")

    turn = api.say(session_id, f"Next {marker}")

    assert outcome(site, turn)[1] == "hit"
    assert "Harmful" not in str(sent(local_gemini, marker))


def test_another_model_starts_from_the_database_and_without_old_signatures(
    site: servers.Site, api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin(model_used="gemini-3.8-flash")
    signed = api.say(session_id, "[[thoughts]] One")
    api.say(session_id, f"Two {marker}")
    api.call("PATCH", str(session_id), json={"model_used": "gemini-3.5-flash-lite"})

    turn = api.say(session_id, f"Three {marker}")

    before, after = sent(local_gemini, marker)
    assert signed["assistant_message"]["content"]
    assert "thoughtSignature" in str(before["contents"])
    assert "thoughtSignature" not in str(after["contents"])
    assert [text for text in texts(after) if text.startswith("user")][:2] == [
        "user: [[thoughts]] One",
        f"user: Two {marker}",
    ]
    assert outcome(site, turn) == ("history", "recovered", "model_changed")


def test_a_session_that_was_closed_is_recovered_with_the_same_bytes(
    site: servers.Site, api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    api.say(session_id, f"[[thoughts]] One {marker}")
    api.say(session_id, f"Two {marker}")

    printed = site.manage("sessions", "evict", "--conversation", str(session_id))
    turn = api.say(session_id, f"Three {marker}")

    _, before, after = sent(local_gemini, marker)
    assert printed.startswith("Closed 1 session(s)")
    # By now its memory may have been given back, too; then there is nothing to note.
    assert outcome(site, turn)[:2] == ("history", "recovered")
    assert wire(after).startswith(wire(before)[:-1])
    assert "thoughtSignature" in wire(after)


def test_a_registered_session_says_how_big_it_is(site: servers.Site, api: Api) -> None:
    session_id = api.begin()

    turn = api.say(session_id, "How big?")

    [row] = live(site, session_id)
    assert row["version"] == turn["assistant_message"]["id"]
    assert row["message_count"] == 2
    assert row["size_bytes"] > len("How big?")


def test_a_deleted_conversation_takes_its_session_along(
    site: servers.Site, api: Api
) -> None:
    session_id = api.begin()
    api.say(session_id, "Soon gone")
    assert live(site, session_id)

    api.call("DELETE", str(session_id))

    assert live(site, session_id) == []


def test_operations_are_counted_and_logged(site: servers.Site, api: Api) -> None:
    before = totals(site)
    session_id = api.begin()
    api.say(session_id, "One")
    api.say(session_id, "Two")
    site.manage("sessions", "evict", "--conversation", str(session_id))
    api.say(session_id, "Three")

    after = totals(site)

    names = ("created", "hit", "recovered", "closed")
    grown = [
        after[f"sessions_{name}"] - before.get(f"sessions_{name}", 0) for name in names
    ]
    assert grown == [1, 1, 1, 1]
    log = site.log()
    for event in ("session.created", "session.hit", "session.recovered"):
        lines = [line for line in log.splitlines() if event in line]
        assert any(str(session_id) in line for line in lines), event


def test_health_tells_that_sessions_are_on_and_how_many_live(
    site: servers.Site, api: Api
) -> None:
    session_id = api.begin()
    api.say(session_id, "Hello")

    health = httpx2.get(f"{site.url}/health").json()

    assert health["services"]["persistent_sessions"] == "enabled"
    [row] = store.rows(site, "SELECT count(*) AS count FROM chat_livesession")
    active = health["session_metrics"]["persistent_sessions_active"]
    assert active == row["count"] > 0
