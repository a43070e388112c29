"""What the chunks of an answer say, without a network."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import errors
from chat.answer import Answer
from chat.completion import Completion, Kept, Text, Thought, Usage


def chunk(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    content = {"content": {"parts": list(parts), "role": "model"}}
    return {"candidates": [content | candidate]}


def test_pieces_come_in_order_and_thoughts_apart() -> None:
    answer = Answer()

    pieces = answer.read(chunk({"text": "hm", "thought": True}, {"text": "Hi"}))

    assert pieces == [Thought("hm"), Text("Hi")]
    assert answer.has_begun
    assert not answer.has_ended


def test_a_good_end_carries_version_and_signed_parts_verbatim() -> None:
    answer = Answer()
    signed = {"text": "", "thoughtSignature": "c2ln+/A="}

    answer.read(chunk({"text": "Hi"}) | {"modelVersion": "gemini-x-001"})
    answer.read(chunk(signed, finishReason="STOP"))

    assert answer.completion() == Completion("STOP", None, "gemini-x-001", [signed])


@pytest.mark.parametrize(
    ("reported", "usage"),
    [
        (
            {"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 11},
            Usage(9, 0, 2, 0, 11),
        ),
        (
            {
                "promptTokenCount": 9,
                "cachedContentTokenCount": 4,
                "thoughtsTokenCount": 3,
            },
            Usage(9, 4, None, 3, None),
        ),
        ({"candidatesTokenCount": 2}, Usage(None, None, 2, None, None)),
        ({"promptTokenCount": "9", "totalTokenCount": -1}, Usage(*[None] * 5)),
    ],
)
def test_a_count_that_was_not_reported_is_none_and_an_omitted_zero_is_zero(
    reported: dict[str, Any], usage: Usage
) -> None:
    answer = Answer()

    answer.read({"usageMetadata": reported})

    assert answer.usage == usage


def test_without_a_report_there_is_no_usage() -> None:
    answer = Answer()

    answer.read(chunk({"text": "Hi"}, finishReason="STOP"))

    assert answer.completion().usage is None


def test_the_last_report_of_usage_counts() -> None:
    answer = Answer()

    for count in (1, 2, 3):
        answer.read({"usageMetadata": {"totalTokenCount": count}})

    assert answer.usage == Usage(None, None, None, None, 3)


@pytest.mark.parametrize(
    ("reason", "kind", "word"),
    [
        ("SAFETY", errors.ResponseBlocked, "safety"),
        ("PROHIBITED_CONTENT", errors.ResponseBlocked, "prohibited_content"),
        ("OTHER", errors.GeminiError, "unknown_finish"),
        ("MALFORMED_RESPONSE", errors.GeminiError, "unknown_finish"),
        ("", errors.AnswerCutShort, "early_end"),
    ],
)
def test_words_without_a_good_finish_reason_are_no_answer(
    reason: str, kind: type[errors.GeminiError], word: str
) -> None:
    answer = Answer()
    answer.read(chunk({"text": "Hi"}, finishReason=reason))

    with pytest.raises(errors.GeminiError) as raised:
        answer.completion()

    assert type(raised.value) is kind
    assert raised.value.reason == word


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_good_finish_reason_without_words_is_no_answer(text: str) -> None:
    answer = Answer()
    answer.read(chunk({"text": text}, finishReason="STOP"))

    with pytest.raises(errors.EmptyAnswer):
        answer.completion()


def test_a_blocked_prompt_outweighs_everything() -> None:
    answer = Answer()
    answer.read(chunk({"text": "Hi"}, finishReason="STOP"))
    answer.read({"promptFeedback": {"blockReason": "OTHER"}})

    with pytest.raises(errors.ResponseBlocked) as raised:
        answer.completion()

    assert raised.value.reason == "blocked_prompt"
    assert answer.has_ended


def test_words_that_go_to_the_database_are_short_enough_for_it() -> None:
    answer = Answer()

    answer.read(
        chunk({"text": "Hi"}, finishReason="X" * 200) | {"modelVersion": "m" * 200}
    )

    assert len(answer.finish_reason) == 40
    with pytest.raises(errors.GeminiError):
        answer.completion()


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        [],
        "text",
        {"candidates": 7},
        {"candidates": ["x"]},
        {"candidates": {"a": 1}},
        {"candidates": [{"content": "x"}]},
        {"candidates": [{"content": {"parts": 7}}]},
        {"candidates": [{"content": {"parts": ["x"]}}]},
        {"candidates": [{"content": {"parts": [{"text": 7}]}}]},
        {"usageMetadata": "x"},
        {"promptFeedback": "x"},
        {"modelVersion": 7},
    ],
)
def test_a_chunk_of_another_shape_is_refused(odd: Any) -> None:
    with pytest.raises(ValueError, match="no GenerateContentResponse"):
        Answer().read(odd)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "candidates",
                    "content",
                    "parts",
                    "text",
                    "finishReason",
                    "usageMetadata",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_json_breaks_the_reader(odd: Any) -> None:
    answer = Answer()

    try:
        pieces = answer.read(odd)
    except ValueError:
        return

    assert all(isinstance(piece, Kept) or piece.text for piece in pieces)


@given(st.text(st.characters(codec=None, categories=None), max_size=20))
def test_text_can_always_be_stored(text: str) -> None:
    pieces = Answer().read(chunk({"text": text}))

    for piece in pieces:
        assert isinstance(piece, Text)
        assert len(piece.text) == len(text)
        assert b"\0" not in piece.text.encode("utf-8")


@pytest.mark.parametrize("odd", ["\x00", "\ud83d"])
def test_a_signed_part_that_no_database_can_keep_is_left_out(odd: str) -> None:
    answer = Answer()

    said = answer.read(
        chunk(
            {"text": f"Hi{odd}", "thoughtSignature": "c2ln"},
            {"text": "", "thoughtSignature": f"c2ln{odd}"},
            {"text": "", "thoughtSignature": "ZW5k"},
            finishReason="STOP",
        )
    )

    assert said == [Text("Hi\ufffd")]
    assert answer.completion().signatures == [{"text": "", "thoughtSignature": "ZW5k"}]
