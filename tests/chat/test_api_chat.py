"""A turn over the API: what is stored, what is answered, what the model is sent."""

import pytest

from chat import personalities
from chat.local_gemini import scripted
from tests import clients
from tests.clients import Api

_LIMIT = 32_000
_PERFORMANCE = {
    "used_persistent_session": bool,
    "cache_hit": bool,
    "response_time_ms": float,
    "token_usage_optimized": bool,
    "prompt_tokens": int,
    "cached_tokens": int,
    "output_tokens": int,
    "time_to_first_token_ms": float,
}


def test_a_turn_has_every_field_of_the_contract(api: Api) -> None:
    session_id = api.begin()

    turn = api.say(session_id, "What is a tide?")

    info = turn["performance_info"]
    assert {name: type(info[name]) for name in _PERFORMANCE} == _PERFORMANCE
    assert info["response_time_ms"] >= info["time_to_first_token_ms"] > 0
    assert turn["status"] == "complete"
    stored = [turn["user_message"], turn["assistant_message"]]
    assert api.messages(session_id) == stored
    assert turn["session"] == api.call("GET", str(session_id)).json()
    assert turn["session"]["message_count"] == 2


def test_the_answer_is_what_the_model_said(api: Api) -> None:
    turn = api.say(api.begin(), "Say it exactly")

    assert turn["assistant_message"]["content"] == scripted.answer("Say it exactly")


def test_tokens_are_the_models_own_counts(api: Api, marker: str) -> None:
    turn = api.say(api.begin(), f"[[say words=7]] {marker}")

    info = turn["performance_info"]
    assert info["output_tokens"] == 7
    assert info["token_usage_optimized"] == bool(info["cached_tokens"])


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("  spaces around  ", "spaces around"),
        ("two\r\nlines\rthree", "two\nlines\nthree"),
        ("日本語 🙂 \u2028 \x85 \u202e", "日本語 🙂 \u2028 \x85 \u202e"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a" * _LIMIT, "a" * _LIMIT),
        (f" {'🙂' * _LIMIT} ", "🙂" * _LIMIT),
    ],
)
def test_a_message_is_stored_as_it_was_meant(api: Api, sent: str, stored: str) -> None:
    session_id = api.begin()

    api.say(session_id, sent)

    assert api.messages(session_id)[0]["content"] == stored.strip()


def test_a_message_over_the_limit_is_refused_and_not_stored(api: Api) -> None:
    session_id = api.begin()

    refused = api.ask(session_id, "a" * (_LIMIT + 1))

    assert refused.status_code == 413
    assert refused.json()["error_code"] == "PAYLOAD_TOO_LARGE"
    assert api.messages(session_id) == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("two\n\nlines   here", "two lines here"),
    ],
)
def test_the_first_message_names_the_session(api: Api, text: str, title: str) -> None:
    session_id = api.begin()

    api.say(session_id, text)
    api.say(session_id, "Another question")

    assert api.call("GET", str(session_id)).json()["title"] == title


@pytest.mark.parametrize("text", ["long words " * 30, "潮" * 200, "x" * 30_000])
def test_a_long_message_gives_a_short_title_that_says_something(
    api: Api, text: str
) -> None:
    title = api.say(api.begin(), text)["session"]["title"]

    assert 10 < len(title) <= 61
    assert title.endswith("…")
    assert text.startswith(title.removesuffix("…"))


def test_a_title_by_the_person_stays(api: Api) -> None:
    session_id = api.begin(title="Mine")

    assert api.say(session_id, "Hello")["session"]["title"] == "Mine"


def test_the_personality_and_the_model_reach_the_model(
    api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin(personality="technical", model_used="gemini-3.1-pro-preview")

    api.say(session_id, f"Explain {marker}")

    [request] = clients.requests(local_gemini, marker)
    system = request["body"]["systemInstruction"]["parts"][0]["text"]
    assert system == personalities.PERSONALITIES["technical"].instruction
    assert "/models/gemini-3.1-pro-preview:" in request["path"]


def test_deleting_while_the_answer_runs_ends_it_for_good(
    api: Api, local_gemini: str, marker: str
) -> None:
    session_id = api.begin()
    drip = f"[[drip delay_ms=20]] {marker}"
    with Api(api.url) as other, other.stream(session_id, drip) as events:
        clients.until(lambda: next(events).name == "delta")

        assert api.call("DELETE", str(session_id)).status_code == 200

        last = list(events)[-1]
    assert (last.name, last.data["error_code"]) == ("error", "SESSION_NOT_FOUND")
    assert api.call("GET", str(session_id)).status_code == 404
    clients.until(lambda: clients.requests(local_gemini, marker)[0]["disconnected"])


def test_renaming_while_the_answer_runs_is_kept(api: Api) -> None:
    session_id = api.begin()
    drip = "[[drip delay_ms=20]]"
    with Api(api.url) as other, other.stream(session_id, drip) as events:
        next(events)

        api.call("PATCH", str(session_id), json={"title": "Renamed"})
        api.call("POST", f"{session_id}/stop")

        assert list(events)[-1].data["session"]["title"] == "Renamed"


def test_message_counts_are_those_of_the_messages(api: Api) -> None:
    session_id = api.begin()
    api.say(session_id, "one")
    api.ask(session_id, "[[empty_text]]")
    api.say(session_id, "two")

    counted = api.call("GET", str(session_id)).json()["message_count"]

    assert counted == len(api.messages(session_id)) == 6
