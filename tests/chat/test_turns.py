"""What may be a message, and what may be its key."""

import pytest
from django.conf import LazySettings

from chat import turns
from chat.errors import InvalidMessage, InvalidRequest, PayloadTooLarge


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Hello", "Hello"),
        (" \n Hello \t ", "Hello"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a  b", "a  b"),
        ("\u202eabc \U0001f642\u200d", "\u202eabc \U0001f642\u200d"),
    ],
)
def test_a_text_is_kept_but_for_its_edges_and_line_ends(text: str, stored: str) -> None:
    assert turns.clean(text) == stored


@pytest.mark.parametrize(
    "text", ["", " ", "\r\n", "\t\v\f", "\u00a0\u2003", "\x1c\x1f"]
)
def test_nothing_is_no_message(text: str) -> None:
    with pytest.raises(InvalidMessage):
        turns.clean(text)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "a\udfffb"])
def test_what_is_no_text_is_no_message(text: str) -> None:
    with pytest.raises(InvalidMessage):
        turns.clean(text)


def test_the_limit_counts_characters_after_cleaning(settings: LazySettings) -> None:
    settings.MAX_MESSAGE_CHARS = 4

    assert turns.clean("  \r\n🙂🙂🙂🙂  ") == "🙂🙂🙂🙂"
    with pytest.raises(PayloadTooLarge, match="5 characters"):
        turns.clean("abcde")


@pytest.mark.parametrize(("given", "key"), [(None, None), ("", None), ("k", "k")])
def test_a_key_is_optional(given: str | None, key: str | None) -> None:
    assert turns.clean_key(given) == key


@pytest.mark.parametrize("given", ["k" * 201, "a\x00b", "a\nb", "\x7f"])
def test_a_key_that_can_not_be_stored_is_refused(given: str) -> None:
    with pytest.raises(InvalidRequest):
        turns.clean_key(given)
