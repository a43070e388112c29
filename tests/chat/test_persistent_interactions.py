"""Conversations that the provider keeps: what is sent, recovered and deleted."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests import clients, servers
from tests.chat import persistent
from tests.chat.persistent import outcome, sent
from tests.clients import Api
from tests.faults import store

_OF = "SELECT * FROM chat_storedinteraction WHERE conversation_id = ? ORDER BY id"


@pytest.fixture(scope="module")
def gemini() -> Iterator[str]:
    """A local Gemini of our own: these tests make it forget things."""
    with servers.local_gemini() as url:
        yield url


@pytest.fixture(scope="module")
def site(
    gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """One worker, so that every turn meets the same pool."""
    folder = tmp_path_factory.mktemp("interactions")
    with persistent.site(
        folder, gemini_url=gemini, PERSISTENT_SESSION_STRATEGY="interactions"
    ) as running:
        yield running


def _kept(site: servers.Site, session_id: int) -> list[dict[str, Any]]:
    return store.rows(site, _OF, session_id)


def _stop_in_mid_stream(
    site: servers.Site, session_id: int, events: Iterator[clients.Event]
) -> None:
    next(event for event in events if event.name == "delta")
    with clients.Api(site.url) as other:
        other.call("POST", f"{session_id}/stop")
    list(events)


def test_only_what_is_new_is_sent(
    site: servers.Site, api: Api, gemini: str, marker: str
) -> None:
    session_id = api.begin()

    turns = [api.say(session_id, f"Turn {number} {marker}") for number in range(3)]

    bodies = sent(gemini, marker)
    kept = [row["interaction_id"] for row in _kept(site, session_id)]
    inputs = [body["input"] for body in bodies]
    assert inputs == [f"Turn {number} {marker}" for number in range(3)]
    assert [body.get("previous_interaction_id") for body in bodies] == [None, *kept[:2]]
    assert [outcome(site, turn)[:2] for turn in turns] == [
        ("interactions", "created"),
        ("interactions", "hit"),
        ("interactions", "hit"),
    ]
    assert turns[2]["performance_info"]["cached_tokens"] > 0


def test_a_new_process_goes_on_from_what_the_provider_keeps(
    site: servers.Site, api: Api, gemini: str, marker: str
) -> None:
    session_id = api.begin()
    api.say(session_id, "One")
    site.manage("sessions", "evict", "--conversation", str(session_id))

    turn = api.say(session_id, f"Two {marker}")

    [body] = sent(gemini, marker)
    # By now its memory may have been given back, too; then there is nothing to note.
    assert outcome(site, turn)[:2] == ("interactions", "recovered")
    assert body["input"] == f"Two {marker}"
    [kept, _] = _kept(site, session_id)
    assert body["previous_interaction_id"] == kept["interaction_id"]


def test_what_the_provider_has_forgotten_is_told_anew_in_one_call(
    site: servers.Site, api: Api, gemini: str, marker: str
) -> None:
    session_id = api.begin()
    first = api.say(session_id, "One")
    httpx2.delete(f"{gemini}/_local/interactions").raise_for_status()

    turn = api.say(session_id, f"Two {marker}")
    again = api.say(session_id, f"Three {marker}")

    refused, told, continued = sent(gemini, marker)
    assert "previous_interaction_id" in refused
    assert "previous_interaction_id" not in told
    assert first["assistant_message"]["content"] in str(told["input"])
    assert outcome(site, turn) == ("interactions", "recovered", "forgotten")
    assert outcome(site, again) == ("interactions", "hit", "")
    assert continued["input"] == f"Three {marker}"


def test_a_turn_that_broke_off_is_told_with_the_next_one(
    site: servers.Site, api: Api, gemini: str, marker: str
) -> None:
    session_id = api.begin()
    api.say(session_id, "One")
    with api.stream(session_id, "[[drip delay_ms=50]] Two") as events:
        _stop_in_mid_stream(site, session_id, events)
    partial = api.messages(session_id)[-1]["content"]

    turn = api.say(session_id, f"Three {marker}")

    body = sent(gemini, marker)[-1]
    steps = [step["content"][0]["text"] for step in body["input"]]
    assert outcome(site, turn) == ("interactions", "topped_up", "")
    assert steps == ["[[drip delay_ms=50]] Two", partial, f"Three {marker}"]


def test_a_cut_stream_is_resumed_without_a_gap(
    site: servers.Site, api: Api, marker: str
) -> None:
    session_id = api.begin()

    turn = api.say(session_id, f"[[cut after=5 times=1 key={marker}]] Question")

    [plain] = [api.say(api.begin(), "Question")]
    assert turn["status"] == "complete"
    assert len(turn["assistant_message"]["content"].split()) == len(
        plain["assistant_message"]["content"].split()
    )


def test_a_deleted_conversation_is_deleted_at_the_provider_as_well(
    site: servers.Site, api: Api, gemini: str
) -> None:
    session_id = api.begin()
    api.say(session_id, "One")
    with api.stream(session_id, "[[drip delay_ms=50]] Two") as events:
        _stop_in_mid_stream(site, session_id, events)
    kept = [row["interaction_id"] for row in _kept(site, session_id)]
    assert len(kept) == 2

    api.call("DELETE", str(session_id))
    site.manage("run_job", "chat.delete_interactions")

    headers = {"x-goog-api-key": "local"}
    for interaction_id in kept:
        url = f"{gemini}/v1beta/interactions/{interaction_id}"
        assert httpx2.get(url, headers=headers).status_code == 404
    ids = ", ".join(f"'{interaction_id}'" for interaction_id in kept)
    left = f"SELECT * FROM chat_storedinteraction WHERE interaction_id IN ({ids})"
    assert store.rows(site, left) == []


def test_a_server_without_interactions_gets_the_whole_history(
    tmp_path_factory: pytest.TempPathFactory, marker: str
) -> None:
    folder = tmp_path_factory.mktemp("without")
    with (
        servers.local_gemini() as gemini,
        persistent.site(
            folder, gemini_url=gemini, PERSISTENT_SESSION_STRATEGY="interactions"
        ) as site,
        clients.Api(site.url) as api,
    ):
        switch = f"{gemini}/_local/interactions"
        httpx2.put(switch, json={"is_on": False}).raise_for_status()
        session_id = api.begin()

        turns = [api.say(session_id, f"Turn {n} {marker}") for n in range(3)]
        found = [outcome(site, turn) for turn in turns]
        requests = clients.requests(gemini, marker)

    assert [each[0] for each in found] == ["history"] * 3
    assert found[0][2] == "unsupported"
    asked = [request["path"].rsplit("/", 1)[-1] for request in requests]
    assert asked.count("interactions") == 1
    assert len(requests[-1]["body"]["contents"]) == 5
