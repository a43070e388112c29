"""What was said, as contents: once made, the same bytes for ever."""

import json
from typing import Any

import pytest

from chat import contents
from chat.contents import Line

_END = {"text": "", "thoughtSignature": "ZW5k"}
_THOUGHT = {"text": "Hm, hello", "thought": True, "thoughtSignature": "dGhvdWdodA=="}
_CALL = {"functionCall": {"name": "look"}, "thoughtSignature": "Y2FsbA=="}


def _signed(text: str) -> dict[str, Any]:
    return {"text": text, "thoughtSignature": "c2ln"}


def _parts(text: str, *signed: dict[str, Any]) -> list[dict[str, Any]]:
    content = contents.of_line(Line("assistant", text, signed))
    assert content["role"] == "model"
    parts: list[dict[str, Any]] = content["parts"]
    return parts


def _said(parts: list[dict[str, Any]]) -> str:
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def test_what_a_person_says_is_one_part_as_it_is() -> None:
    line = Line("user", "Číslo\u2028 <b>")

    assert contents.of_line(line) == {
        "role": "user",
        "parts": [{"text": "Číslo\u2028 <b>"}],
    }


def test_an_answer_without_signatures_is_one_part() -> None:
    assert _parts("All of it") == [{"text": "All of it"}]


@pytest.mark.parametrize(
    ("text", "signed", "expected"),
    [
        ("abc", [_signed("abc")], [_signed("abc")]),
        ("abc", [_signed("a")], [_signed("a"), {"text": "bc"}]),
        ("abc", [_signed("c")], [{"text": "ab"}, _signed("c")]),
        ("abc", [_signed("b")], [{"text": "a"}, _signed("b"), {"text": "c"}]),
        ("abab", [_signed("b"), _signed("b")], [{"text": "a"}, _signed("b")] * 2),
        ("abc", [_END], [{"text": "abc"}, _END]),
        ("abc", [_THOUGHT, _END], [_THOUGHT, {"text": "abc"}, _END]),
        ("", [_END], [_END]),
        ("abc", [_signed("c"), _END], [{"text": "ab"}, _signed("c"), _END]),
        ("abc", [_THOUGHT], [_THOUGHT, {"text": "abc"}]),
        (
            "abc",
            [_CALL, _signed("b")],
            [_CALL, {"text": "a"}, _signed("b"), {"text": "c"}],
        ),
    ],
)
def test_each_signed_part_stands_verbatim_in_its_place(
    text: str, signed: list[dict[str, Any]], expected: list[dict[str, Any]]
) -> None:
    parts = _parts(text, *signed)

    assert parts == expected
    assert _said(parts) == text


def test_a_thought_is_no_part_of_the_text_even_if_it_says_the_same() -> None:
    parts = _parts("Hm, hello you", _THOUGHT)

    assert parts == [_THOUGHT, {"text": "Hm, hello you"}]


def test_a_signed_part_whose_words_are_not_there_is_left_out() -> None:
    parts = _parts("abc", _signed("x"), _signed("b"), _signed("a"))

    assert parts == [{"text": "a"}, _signed("b"), {"text": "c"}]


def test_the_model_can_not_have_the_first_word() -> None:
    lines = [Line("assistant", text) for text in ("One", "Two")]
    lines += [Line("user", "Three"), Line("assistant", "Four")]

    told = contents.of_lines(lines)

    assert [content["role"] for content in told] == ["user", "model"]
    assert contents.of_lines(lines[:2]) == []
    assert contents.of_lines([]) == []


def test_their_size_is_what_they_are_on_the_wire() -> None:
    told = contents.of_lines([Line("user", "é")])

    assert contents.size_bytes(told) == len(
        b'{"role": "user", "parts": [{"text": "\xc3\xa9"}]}'
    )
    assert contents.size_bytes([]) == 0
    assert contents.size_bytes(told * 2) == 2 * contents.size_bytes(told)


def test_a_signed_part_is_the_same_bytes_in_whatever_order_its_keys_came() -> None:
    made = {"thoughtSignature": "c2ln", "text": "", "extra": {"b": 1, "a": 2}}
    stored = {"text": "", "extra": {"a": 2, "b": 1}, "thoughtSignature": "c2ln"}

    sent = [json.dumps(_parts("All of it", each)) for each in (made, stored)]

    assert sent[0] == sent[1]
