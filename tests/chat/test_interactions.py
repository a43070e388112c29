"""What is sent as an interaction, and what its events and refusals mean."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import errors, interactions, upstream
from chat.completion import Prompt
from chat.interaction_events import Stream
from tests.chat.gemini_calls import completed, created, interaction, spoken

USAGE = {
    "total_input_tokens": 9,
    "total_cached_tokens": 4,
    "total_output_tokens": 3,
    "total_thought_tokens": 2,
    "total_tokens": 14,
}


def turn(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def prompt(*contents: dict[str, Any]) -> Prompt:
    return Prompt("gemini-x", list(contents), is_interaction=True)


def step(kind: str, text: str) -> dict[str, Any]:
    return {"type": kind, "content": [{"type": "text", "text": text}]}


def refusal(status: int, body: Any) -> Exception:
    """An error with the attributes of the SDK's."""
    error = Exception("refused")
    error.status_code = status  # type: ignore[attr-defined]
    error.body = body  # type: ignore[attr-defined]
    return error


def said(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "code": "not_found"}}


def test_one_text_of_the_user_is_sent_as_it_is() -> None:
    asked = prompt(turn("user", {"text": "Hello "}, {"text": "there"}))

    assert interactions.request(asked, thinking_level="") == {
        "model": "gemini-x",
        "input": "Hello there",
        "store": True,
        "stream": True,
    }


def test_a_whole_conversation_is_sent_as_steps_without_thoughts_and_signatures() -> (
    None
):
    asked = prompt(
        turn("user", {"text": "Hello"}),
        turn(
            "model",
            {"text": "Hm", "thought": True, "thoughtSignature": "c2ln"},
            {"text": "Hi "},
            {"text": "there", "thoughtSignature": "c2ln"},
            {"text": "", "thoughtSignature": "c2ln"},
        ),
        turn("model", {"text": "", "thoughtSignature": "c2ln"}),
        turn("user", {"text": "And?"}),
    )

    assert interactions.request(asked, thinking_level="")["input"] == [
        step("user_input", "Hello"),
        step("model_output", "Hi there"),
        step("user_input", "And?"),
    ]


def test_instruction_and_limits_are_sent_with_every_turn() -> None:
    asked = interaction(
        "Hello",
        previous_interaction_id="v1_first",
        system_instruction="Be kind.",
        max_output_tokens=77,
    )

    sent = interactions.request(asked, thinking_level="LOW")

    assert sent["previous_interaction_id"] == "v1_first"
    assert sent["system_instruction"] == "Be kind."
    assert sent["generation_config"] == {
        "thinking_level": "low",
        "max_output_tokens": 77,
    }


@pytest.mark.parametrize(
    ("status", "body", "previous", "expected"),
    [
        (404, said("Interaction v1_a was not found."), "v1_a", "forgotten"),
        (404, said("Requested entity was not found."), "v1_a", "forgotten"),
        (403, said("The interaction v1_A may not exist."), "v1_a", "forgotten"),
        (400, said("Invalid previous_interaction_id."), "v1_a", "forgotten"),
        (400, said("Interaction v1_a is in progress."), "v1_a", "forgotten"),
        (404, said("models/gemini-3.8-flash is not found."), "v1_a", None),
        (404, said("models/gemini-3.8-flash is not found."), None, None),
        (404, said("Requested entity was not found."), None, None),
        (400, said("The temperature is too high."), "v1_a", None),
        (403, said("The caller does not have permission."), "v1_a", None),
        (404, said("The requested URL /interactions was not found."), None, "none"),
        (404, said("The requested URL /interactions was not found."), "v1_a", "none"),
        (404, said("Method not found."), "v1_a", "none"),
        (404, "<!DOCTYPE html><title>Error 404 (Not Found)</title>", "v1_a", "none"),
        (404, {"detail": "Not Found"}, None, "none"),
        (404, {"error": "Not Found", "path": "/v1/interactions"}, "v1_a", "none"),
        (404, None, None, "none"),
        (405, {"detail": "Method Not Allowed"}, None, "none"),
        (501, said("Not implemented."), "v1_a", "none"),
        (429, said("Interaction v1_a: quota."), "v1_a", None),
        (None, None, "v1_a", None),
    ],
)
def test_a_refusal_tells_what_is_missing(
    status: int, body: Any, previous: str | None, expected: str | None
) -> None:
    kinds = {
        "forgotten": errors.InteractionForgotten,
        "none": errors.InteractionsUnsupported,
        None: None,
    }
    asked = interaction("Hello", previous_interaction_id=previous)

    assert interactions.missing(refusal(status, body), asked) is kinds[expected]


@pytest.mark.parametrize(
    "kind", [errors.InteractionForgotten, errors.InteractionsUnsupported]
)
def test_what_is_missing_is_no_outage_and_is_not_tried_again(
    kind: type[errors.GeminiError],
) -> None:
    assert not kind().is_outage
    assert not kind().is_transient


def test_events_become_chunks() -> None:
    stream = Stream()
    thought = {"type": "thought_summary", "content": {"type": "text", "text": "hm"}}

    chunks = [
        chunk
        for event in [
            created(),
            {"event_type": "interaction.status_update", "usage": {"total_tokens": 9}},
            {"event_type": "step.start", "index": 0, "step": {"type": "thought"}},
            {"event_type": "step.delta", "index": 0, "delta": thought},
            {"event_type": "step.delta", "index": 0, "delta": {"type": "unheard"}},
            {"event_type": "unheard.of", "data": 7},
            spoken("Hi"),
            completed(usage=USAGE, model="gemini-x"),
        ]
        for chunk in stream.read(event)
    ]

    assert chunks == [
        {"interactionId": "v1_played"},
        {"usageMetadata": {"totalTokenCount": 9}},
        {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]},
        {"interactionId": "v1_played", "modelVersion": "gemini-x"},
        {
            "usageMetadata": {
                "promptTokenCount": 9,
                "cachedContentTokenCount": 4,
                "candidatesTokenCount": 3,
                "thoughtsTokenCount": 2,
                "totalTokenCount": 14,
            }
        },
        {"candidates": [{"finishReason": "STOP"}]},
    ]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("completed", "STOP"),
        ("incomplete", "MAX_TOKENS"),
        ("requires_continuation", "CONTINUATION"),
        ("failed", "FAILED"),
        ("requires_action", "REQUIRES_ACTION"),
    ],
)
def test_the_status_is_the_finish_reason(status: str, reason: str) -> None:
    [_, end] = Stream().read(completed(status))

    assert end == {"candidates": [{"finishReason": reason}]}


def test_a_cancelled_answer_has_no_finish_reason() -> None:
    stream = Stream()

    assert stream.read(completed("cancelled")) == [{"interactionId": "v1_played"}]
    assert stream.has_ended


def test_a_blocked_answer_is_no_failure_of_the_service() -> None:
    [_, end] = Stream().read(completed("failed", errors=[{"code": "safety"}]))

    assert end == {"candidates": [{"finishReason": "SAFETY"}]}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("unavailable", 503),
        ("resource_exhausted", 429),
        ("https://example.com/errors/not_found", 404),
        ("429", 429),
        ("unheard_of", None),
        (None, None),
    ],
)
def test_an_error_event_is_an_error_with_its_status(
    code: str | None, status: int | None
) -> None:
    event = {"event_type": "error", "error": {"code": code, "message": "odd"}}

    with pytest.raises(upstream.Reported) as raised:
        Stream().read(event)

    assert upstream.reported(raised.value)[0] == status
    assert upstream.message(raised.value.details) == "odd"


def test_an_event_that_comes_again_says_nothing() -> None:
    stream = Stream()
    event = spoken("Hi") | {"event_id": "e1"}

    assert stream.read(event)
    assert stream.read(event) == []


def test_the_question_repeated_is_no_part_of_the_answer() -> None:
    stream = Stream()
    stream.read(
        {"event_type": "step.start", "index": 0, "step": {"type": "user_input"}}
    )

    assert stream.read(spoken("What I asked")) == []


def test_text_without_an_id_cannot_be_resumed_after() -> None:
    stream = Stream()
    stream.read(created() | {"event_id": "e1"})
    before = stream.last_event_id

    stream.read(spoken("Hi"))

    assert before == "e1"
    assert stream.last_event_id == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("event_type", "event_id", "interaction", "delta", "type"),
                    *("text", "index", "step", "usage", "status", "error"),
                ]
            ),
            inner
            | st.sampled_from(
                [
                    *("step.delta", "step.start", "interaction.created"),
                    *("interaction.completed", "error", "text", "failed"),
                ]
            ),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_json_breaks_the_reader(odd: Any) -> None:
    try:
        Stream().read(odd)
    except (ValueError, upstream.Reported):
        return
