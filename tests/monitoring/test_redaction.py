"""Secrets and people's words are taken out of whatever a line holds."""

import pytest

from monitoring.redaction import Redactor

_KEY = "AIzaSyD-0123456789abcdefghijklmnopqrst"


@pytest.mark.parametrize(
    "text",
    [
        f"with {_KEY} it failed",
        f"GET /v1?key={_KEY[4:]}&alt=sse",
        "Authorization: Bearer abc.def-012345",
        "{'x-goog-api-key': 'hidden-0123'}",
        "[(b'x-goog-api-key', b'hidden-0123')]",
        'body {"password": "hidden 0123"}',
        "password=hidden-0123 host=db",
        "postgres://oracle:hidden-0123@db/oracle",
        "redis://:hidden-0123@queue/0",
        "oracle_0123456789abcdefghijklmnopq",
        "not NULL\nDETAIL:  Failing row contains (1, hidden\n0123).\n\nThe above",
        "bad type\nDETAIL:  No.\nCONTEXT:  JSON data, line 1: hidden 0123\n\nDuring",
        "bad escape\nCONTEXT:  JSON data, line 1: hidden 0123",
        "bad escape\nLINE 1: UPDATE t SET a = E'hidden 0123...\n   ^",
        r"DataError('bad escape\nLINE 1: UPDATE t SET a = hidden 0123...\n   ^')",
        "not a dict [type=model_type, input_value='hidden 0123', input_type=str]",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    shown = Redactor([]).clean(text)

    assert "[redacted]" in shown
    for part in ("hidden", "0123"):
        assert part not in shown


@pytest.mark.parametrize(
    "text",
    [
        "The CSRF token is missing.",
        "prompt_tokens=120 cached_tokens=64",
        "oracle_site.schedule",
        "http://127.0.0.1:8000/health",
        "DETAILED answers",
        'File "generations.py", LINE BREAK',
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor(["short"]).clean(text) == text


def test_a_known_secret_is_taken_out_and_a_short_one_tears_up_no_words() -> None:
    redactor = Redactor(["local", "not-like-any-key"])

    assert redactor.clean("local not-like-any-key") == "local [redacted]"


def test_of_what_people_wrote_only_the_length_is_told() -> None:
    event = {"event": "turn.failed", "text": "Dear oracle", "more": {"prompt": "Why?"}}

    shown = Redactor([])(None, "", event)

    assert shown == {
        "event": "turn.failed",
        "text": "[11 characters]",
        "more": {"prompt": "[4 characters]"},
    }


def test_a_key_that_names_a_secret_hides_whatever_stands_there() -> None:
    event = {"api_key": 12345, "csrftoken": "x", "Authorization": ["x"], "tokens": 7}

    shown = Redactor([])(None, "", event)

    assert [*shown.values()] == ["[redacted]", "[redacted]", "[redacted]", 7]
