"""A broken answer made anew, or carried on where it stopped."""

import json

import pytest

from chat.local_gemini.scripted import answer
from tests import clients
from tests.clients import STREAM, Api, text_of

_FAILURES = [
    ("status code=400", "failed"),
    ("cut after=4", "interrupted"),
    ("safety after=4", "blocked"),
    ("blocked", "blocked"),
    ("empty_text", "failed"),
]


@pytest.mark.parametrize(("directive", "status"), _FAILURES)
def test_a_retry_puts_a_new_answer_in_the_place_of_the_broken_one(
    api: Api, marker: str, directive: str, status: str
) -> None:
    session_id = api.begin()
    failed = api.ask(session_id, f"[[{directive} times=1 key={marker}]] Try me")
    before = api.messages(session_id)

    retried = api.call("POST", f"{session_id}/retry")

    assert failed.status_code >= 400
    assert before[1]["status"] == status
    turn = retried.json()
    assert (retried.status_code, turn["status"]) == (200, "complete")
    assert turn["assistant_message"]["content"] == answer("Try me")
    assert turn["user_message"] == before[0]
    assert api.messages(session_id) == [before[0], turn["assistant_message"]]
    assert turn["session"]["message_count"] == 2


def test_a_retry_can_fail_and_be_retried_again(api: Api, marker: str) -> None:
    session_id = api.begin()
    api.ask(session_id, f"[[empty_text times=3 key={marker}]] Again")

    statuses = [api.call("POST", f"{session_id}/retry").status_code for _ in range(3)]

    assert statuses == [502, 502, 200]
    assert len(api.messages(session_id)) == 2


def test_a_retry_streams(api: Api, marker: str) -> None:
    session_id = api.begin()
    api.ask(session_id, f"[[cut after=3 times=1 key={marker}]] Stream it")

    retried = api.call("POST", f"{session_id}/retry", headers=STREAM)

    seen = list(clients.events(retried))
    assert text_of(seen) == answer("Stream it")
    assert seen[-1].data["status"] == "complete"


def test_a_stopped_answer_is_continued_in_its_own_place(
    api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    drip = f"[[drip delay_ms=10]] {marker}"
    with Api(api.url) as other, other.stream(session_id, drip) as events:
        for _ in range(5):
            next(events)
        api.call("POST", f"{session_id}/stop")
        list(events)
    stopped = api.messages(session_id)[1]

    turn = api.call("POST", f"{session_id}/continue").json()

    whole = turn["assistant_message"]
    assert (turn["status"], whole["id"]) == ("complete", stopped["id"])
    assert whole["content"].startswith(stopped["content"])
    assert len(whole["content"]) > len(stopped["content"])
    assert api.messages(session_id)[1] == whole
    sent = json.dumps(clients.requests(local_gemini, marker)[-1]["body"])
    assert stopped["content"] in sent
    assert sent.index(stopped["content"]) < sent.index("Go on exactly")


def test_a_continuation_streams_only_what_is_new(api: Api) -> None:
    session_id = api.begin()
    api.ask(session_id, "[[cut after=5]] Break")
    first = api.messages(session_id)[1]["content"]

    continued = api.call("POST", f"{session_id}/continue", headers=STREAM)

    seen = list(clients.events(continued))
    whole = seen[-1].data["assistant_message"]["content"]
    assert first + text_of(seen) == whole
    deltas = [event for event in seen if event.name == "delta"]
    assert deltas[0].id == len(first) + len(deltas[0].data["text"])
    assert deltas[-1].id == len(whole)


def test_an_answer_at_the_models_limit_can_be_continued(api: Api) -> None:
    session_id = api.begin()
    cut = api.say(session_id, "[[finish reason=MAX_TOKENS after=6]] Long")

    assert (cut["status"], cut["finish_reason"]) == ("interrupted", "MAX_TOKENS")
    continued = api.call("POST", f"{session_id}/continue").json()
    assert continued["status"] == "complete"
    assert continued["assistant_message"]["content"].startswith(
        cut["assistant_message"]["content"]
    )


@pytest.mark.parametrize("path", ["retry", "continue"])
def test_a_complete_answer_is_left_alone(api: Api, path: str) -> None:
    session_id = api.begin()
    turn = api.say(session_id, "Hello")

    refused = api.call("POST", f"{session_id}/{path}")

    assert (refused.status_code, refused.json()["error_code"]) == (
        400,
        "INVALID_REQUEST",
    )
    assert api.messages(session_id)[1] == turn["assistant_message"]


@pytest.mark.parametrize("path", ["retry", "continue"])
def test_an_empty_session_has_nothing_to_repeat(api: Api, path: str) -> None:
    assert api.call("POST", f"{api.begin()}/{path}").status_code == 400


def test_an_answer_without_text_can_be_retried_but_not_continued(api: Api) -> None:
    session_id = api.begin()
    api.ask(session_id, "[[empty_text]]")

    assert api.call("POST", f"{session_id}/continue").status_code == 400
    assert api.messages(session_id)[1]["status"] == "failed"


def test_a_failed_continuation_keeps_the_text_that_was_there(
    api: Api, local_gemini: str
) -> None:
    session_id = api.begin()
    with Api(api.url) as other, other.stream(session_id, "[[drip]] Keep") as events:
        next(events)
        next(events)
        api.call("POST", f"{session_id}/stop")
        list(events)
    kept = api.messages(session_id)[1]["content"]

    with clients.by_default(local_gemini, "[[empty_text]]"):
        failed = api.call("POST", f"{session_id}/continue")

    stored = api.messages(session_id)[1]
    assert failed.status_code == 502
    assert (stored["status"], stored["content"]) == ("interrupted", kept)
    assert api.call("POST", f"{session_id}/continue").status_code == 200
