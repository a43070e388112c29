"""The same `Idempotency-Key` sent again is the same turn."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests import clients, servers
from tests.clients import STREAM, Api

_AT_ONCE = 12


def _ids(turn: Any) -> tuple[int, int]:
    return turn["user_message"]["id"], turn["assistant_message"]["id"]


def test_a_key_sent_many_times_at_once_makes_one_turn(
    site: servers.Site, api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    text = f"[[say words=20 delay_ms=20]] {marker}"

    pids = site.worker_pids()
    at_once = [
        clients.on_worker(site.url, pids[number % len(pids)])
        for number in range(_AT_ONCE)
    ]

    def send(each: Api) -> Any:
        with each:
            return each.say(session_id, text, **{"Idempotency-Key": "one"})

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        turns = list(pool.map(send, at_once))

    assert len({_ids(turn) for turn in turns}) == 1
    assert {turn["status"] for turn in turns} == {"complete"}
    assert len(api.messages(session_id)) == 2
    assert len(clients.requests(local_gemini, marker)) == 1


def test_a_key_sent_again_later_gives_the_stored_turn(
    api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    first = api.say(session_id, marker, **{"Idempotency-Key": "again"})
    api.say(session_id, "Something else")

    again = api.say(session_id, marker, **{"Idempotency-Key": "again"})

    assert again["assistant_message"] == first["assistant_message"]
    assert _ids(again) == _ids(first)
    assert len(api.messages(session_id)) == 4


def test_a_key_sent_again_while_the_answer_runs_joins_it(api: Api) -> None:
    session_id = api.begin()
    text = "[[say words=20 delay_ms=100]] Join"
    with Api(api.url) as other, ThreadPoolExecutor() as pool:
        first = pool.submit(other.say, session_id, text, **{"Idempotency-Key": "k"})
        clients.until(lambda: api.messages(session_id))

        streamed = api.ask(session_id, text, **STREAM, **{"Idempotency-Key": "k"})

        seen = list(clients.events(streamed))
        whole = first.result()["assistant_message"]["content"]
    assert clients.text_of(seen) == whole
    assert len(api.messages(session_id)) == 2


def test_a_key_with_another_body_is_refused(api: Api) -> None:
    session_id = api.begin()
    api.say(session_id, "The first", **{"Idempotency-Key": "key"})

    refused = api.ask(session_id, "The second", **{"Idempotency-Key": "key"})

    assert refused.status_code == 422
    assert refused.json()["error_code"] == "INVALID_REQUEST"
    assert "Idempotency-Key" in refused.json()["detail"]
    assert len(api.messages(session_id)) == 2


def test_a_key_belongs_to_its_session(api: Api) -> None:
    key = {"Idempotency-Key": "shared"}
    one, other = api.begin(), api.begin()

    turns = [api.say(one, "Hello", **key), api.say(other, "Goodbye", **key)]

    assert _ids(turns[0]) != _ids(turns[1])


def test_a_key_after_a_failure_is_still_the_same_turn(
    api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    key = {"Idempotency-Key": "failed"}
    text = f"[[empty_text]] {marker}"
    first = api.ask(session_id, text, **key)
    calls = len(clients.requests(local_gemini, marker))

    again = api.ask(session_id, text, **key)

    assert first.status_code == again.status_code == 502
    assert first.json()["user_message_id"] == again.json()["user_message_id"]
    assert len(api.messages(session_id)) == 2
    assert len(clients.requests(local_gemini, marker)) == calls


def test_a_key_gives_the_answer_of_the_newest_attempt(api: Api) -> None:
    session_id = api.begin()
    key = {"Idempotency-Key": "retried"}
    text = "[[status code=400 times=1 key=newest-attempt]] Once more"
    assert api.ask(session_id, text, **key).status_code == 502
    retried = api.call("POST", f"{session_id}/retry").json()

    again = api.say(session_id, text, **key)

    assert again["assistant_message"] == retried["assistant_message"]


def test_the_same_text_without_a_key_is_said_twice(api: Api) -> None:
    session_id = api.begin()

    first, second = api.say(session_id, "Hello"), api.say(session_id, "Hello")

    assert _ids(first) != _ids(second)
    assert len(api.messages(session_id)) == 4


@pytest.mark.parametrize("key", ["k" * 201, "tab\there", "caf\xe9\x80"])
def test_a_key_that_can_not_be_one_is_refused(api: Api, key: str) -> None:
    session_id = api.begin()

    refused = api.call(
        "POST",
        f"{session_id}/chat",
        json={"message": "Hello"},
        headers={b"Idempotency-Key": key.encode("latin-1")},
    )

    assert refused.status_code == 400
    assert refused.json()["error_code"] == "INVALID_REQUEST"
    assert api.messages(session_id) == []
