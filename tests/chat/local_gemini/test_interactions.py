"""The Interactions API, seen by Google's client and on the wire."""

import time
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pytest
from google import genai
from google.genai import _interactions

from chat.local_gemini.scripted import answer

from .conftest import MODEL
from .plain import call, connect, ended_request, exchange, last_request


def create(client: genai.Client, **options: Any) -> Any:
    """Create an interaction; the client's own types join whole and stream."""
    return client.interactions.create(model=MODEL, **options)


def text_of(events: Iterable[Any]) -> str:
    """Join the text of a stream's deltas."""
    return "".join(
        event.delta.text
        for event in events
        if event.event_type == "step.delta" and event.delta.type == "text"
    )


def kinds(events: Iterable[Any]) -> list[str]:
    """Return the event types in order, repeats left out."""
    found: list[str] = []
    for event in events:
        if found[-1:] != [event.event_type]:
            found.append(event.event_type)
    return found


def finished(client: genai.Client, interaction_id: str) -> Any:
    """Return the interaction once it is over, at most 5 s later."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        interaction: Any = client.interactions.get(interaction_id)
        if interaction.status != "in_progress":
            return interaction
        time.sleep(0.02)
    raise AssertionError("the interaction is still in progress")


def test_it_answers_in_one_piece(client: genai.Client) -> None:
    interaction = create(client, input="Hello, oracle")

    assert interaction.status == "completed"
    assert interaction.output_text == answer("Hello, oracle")
    assert interaction.usage is not None
    assert interaction.usage.total_input_tokens == 2
    assert interaction.usage.total_output_tokens == 20
    assert interaction.usage.total_tokens == 22


def test_it_streams_the_events_in_order(client: genai.Client) -> None:
    events = list(create(client, input="Go on", stream=True))

    assert text_of(events) == answer("Go on")
    assert kinds(events) == [
        "interaction.created",
        "interaction.status_update",
        "step.start",
        "step.delta",
        "step.stop",
        "interaction.completed",
    ]
    assert events[-1].interaction.usage.total_output_tokens == 20
    assert [e.event_id for e in events] == [f"ev{n + 1}" for n in range(len(events))]


def test_the_next_turn_continues_the_stored_conversation(client: genai.Client) -> None:
    first = create(client, input=f"{uuid4()} is unique")

    second = create(client, input="and two", previous_interaction_id=first.id)

    assert second.previous_interaction_id == first.id
    assert second.usage is not None
    assert second.usage.total_input_tokens == 3 + 20 + 2
    assert second.usage.total_cached_tokens == 3 + 20


def test_the_system_instruction_is_not_stored(beta: genai.Client) -> None:
    first = create(beta, input="one", system_instruction="five words that instruct you")

    second = create(beta, input="two", previous_interaction_id=first.id)

    assert second.usage is not None
    assert second.usage.total_input_tokens == 1 + 20 + 1


def test_a_whole_history_may_be_the_input(beta: genai.Client) -> None:
    history: Any = [
        {"type": "user_input", "content": [{"type": "text", "text": "one two"}]},
        {"type": "model_output", "content": [{"type": "text", "text": "three"}]},
        {"type": "user_input", "content": [{"type": "text", "text": "four"}]},
    ]

    interaction = create(beta, input=history)

    assert interaction.output_text == answer("four")
    assert interaction.usage is not None
    assert interaction.usage.total_input_tokens == 4


def test_a_stored_interaction_is_found_with_its_input(client: genai.Client) -> None:
    created = create(client, input="Remember me")

    bare = client.interactions.get(created.id)
    full: Any = client.interactions.get(created.id, include_input=True)

    assert bare.output_text == created.output_text
    assert [step.type for step in full.steps] == ["user_input", "model_output"]
    assert full.steps[0].content[0].text == "Remember me"


def test_thoughts_are_a_step_of_their_own(beta: genai.Client) -> None:
    prompt = "Think [[thoughts words=3]]"

    whole: Any = create(beta, input=prompt)
    events = list(create(beta, input=prompt, stream=True))

    assert [step.type for step in whole.steps] == ["thought", "model_output"]
    assert whole.steps[0].signature
    assert whole.output_text == text_of(events) == answer("Think")
    assert whole.usage.total_thought_tokens == 3


def test_a_stream_is_resumed_after_the_last_event_seen(client: genai.Client) -> None:
    events: list[Any] = list(create(client, input="Resume", stream=True))
    seen = events[10]

    rest: list[Any] = list(
        client.interactions.get(
            events[0].interaction.id, stream=True, last_event_id=seen.event_id
        )
    )

    assert [e.event_id for e in rest] == [e.event_id for e in events[11:]]


def test_a_cut_stream_goes_on_in_the_store(beta: genai.Client) -> None:
    events: list[Any] = []
    stream = create(beta, input="Cut [[cut after=3 words=9 delay_ms=20]]", stream=True)
    with pytest.raises(_interactions.APIConnectionError):
        events.extend(stream)

    rest: list[Any] = list(
        beta.interactions.get(
            events[0].interaction.id,
            stream=True,
            last_event_id=events[-1].event_id,
        )
    )

    assert text_of(events) == answer("Cut", words=3)
    assert text_of(events) + text_of(rest) == answer("Cut", words=9)
    assert kinds(rest)[-1] == "interaction.completed"


def test_a_background_interaction_runs_without_a_reader(beta: genai.Client) -> None:
    started = create(beta, input="Work [[say words=5 delay_ms=20]]", background=True)

    assert started.status == "in_progress"
    assert finished(beta, started.id).output_text == answer("Work", words=5)


def test_a_running_interaction_is_cancelled(client: genai.Client) -> None:
    started = create(client, input="Work [[drip delay_ms=20]]", background=True)

    cancelled = client.interactions.cancel(started.id)

    assert cancelled.status == "cancelled"
    assert client.interactions.get(started.id).status == "cancelled"


def test_a_reader_that_leaves_cancels_the_interaction(
    beta: genai.Client, server: str
) -> None:
    payload = {"model": MODEL, "input": "[[drip delay_ms=20]]", "stream": True}
    with connect(server, "/v1/interactions", payload) as connection:
        received = connection.recv(65536)
    interaction_id = received.split(b'"id":"')[1].split(b'"')[0].decode()

    assert ended_request(server)["disconnected"] is True
    assert finished(beta, interaction_id).status == "cancelled"


def test_a_deleted_interaction_is_not_found(client: genai.Client) -> None:
    created = create(client, input="Forget me")

    client.interactions.delete(created.id)

    with pytest.raises(_interactions.NotFoundError) as caught:
        client.interactions.get(created.id)
    assert caught.value.body["error"]["code"] == "not_found"  # type: ignore[index]


def test_an_unknown_previous_interaction_is_not_found(client: genai.Client) -> None:
    with pytest.raises(_interactions.NotFoundError):
        create(client, input="Hello", previous_interaction_id="v1_unknown")


def test_an_interaction_that_is_not_stored_is_not_found(beta: genai.Client) -> None:
    created = create(beta, input="Hello", store=False)

    with pytest.raises(_interactions.NotFoundError):
        beta.interactions.get(created.id)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, _interactions.BadRequestError),
        (401, _interactions.AuthenticationError),
        (403, _interactions.PermissionDeniedError),
        (429, _interactions.RateLimitError),
        (503, _interactions.InternalServerError),
    ],
)
def test_an_http_error_is_raised_as_its_kind(
    beta: genai.Client, code: int, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        create(beta, input=f"[[status code={code}]]")


def test_an_early_end_is_no_completion(client: genai.Client) -> None:
    stream = create(client, input="Short [[early_end after=3]]", stream=True)

    events = list(stream)

    assert text_of(events) == answer("Short", words=3)
    assert "interaction.completed" not in kinds(events)


def test_an_error_in_the_stream_is_an_event(client: genai.Client) -> None:
    stream = create(client, input="[[error_mid after=3 code=503]]", stream=True)

    *_, last = stream

    assert last.event_type == "error"
    assert last.error is not None
    assert last.error.code == "unavailable"


@pytest.mark.parametrize(
    ("directive", "status"),
    [
        ("[[finish reason=MAX_TOKENS after=3]]", "incomplete"),
        ("[[safety after=3]]", "failed"),
        ("[[blocked]]", "failed"),
        ("[[empty_candidates]]", "completed"),
    ],
)
def test_the_status_says_how_it_ended(
    beta: genai.Client, directive: str, status: str
) -> None:
    assert create(beta, input=directive).status == status


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"input": 5},
        {"input": [{"type": "image"}]},
        {"input": [{"type": "text"}]},
        {"input": "x", "background": True, "store": False},
        {"input": "x", "cached_content": "cachedContents/x"},
    ],
)
def test_a_malformed_interaction_is_refused_in_words(
    server: str, payload: dict[str, Any]
) -> None:
    status, body, _ = call(
        "POST", f"{server}/v1/interactions", {"model": MODEL} | payload
    )

    assert status == 400
    assert body["error"]["code"] == "invalid_request"
    assert body["error"]["message"]


def test_events_are_framed_as_the_documentation_shows(server: str) -> None:
    payload = {"model": MODEL, "input": "Frame [[say words=1]]", "stream": True}

    raw = exchange(server, "/interactions", payload)

    assert b"Content-Type: text/event-stream\r\n" in raw
    assert b'event: step.delta\ndata: {"index":0,"delta":{"type":"text"' in raw
    assert b"event: done\ndata: [DONE]\n\n" in raw
    assert last_request(server)["path"] == "/v1/interactions"
