"""generateContent, its stream, token counts and models, seen by Google's client."""

from uuid import uuid4

import pytest
from google import genai
from google.genai import errors, types

from chat.local_gemini import prose
from chat.local_gemini.scripted import answer, question

from .conftest import MODEL, connected
from .plain import call, last_request, says


def test_it_answers_in_one_piece(client: genai.Client) -> None:
    response = client.models.generate_content(model=MODEL, contents="Hello, oracle")

    assert response.text == answer("Hello, oracle")
    assert response.model_version == "scripted (local)"
    assert response.response_id
    assert response.candidates
    assert response.candidates[0].finish_reason == types.FinishReason.STOP


def test_it_streams_word_by_word_and_ends_with_a_finish_reason(
    client: genai.Client,
) -> None:
    chunks = list(
        client.models.generate_content_stream(model=MODEL, contents="Hello, stream")
    )

    assert "".join(chunk.text or "" for chunk in chunks) == answer("Hello, stream")
    assert len(chunks) == 20
    reasons = [c.candidates[0].finish_reason for c in chunks if c.candidates]
    assert reasons == [None] * 19 + [types.FinishReason.STOP]
    assert len({chunk.response_id for chunk in chunks}) == 1


def test_it_counts_words_as_tokens(client: genai.Client) -> None:
    response = client.models.generate_content(
        model=MODEL,
        contents="four words of text [[say words=7]]",
        config=types.GenerateContentConfig(system_instruction="three more words"),
    )

    usage = response.usage_metadata
    assert usage is not None
    assert usage.prompt_token_count == 3 + 4 + 2
    assert usage.candidates_token_count == 7
    assert usage.total_token_count == 16


def test_count_tokens_counts_the_same(client: genai.Client) -> None:
    counted = client.models.count_tokens(model=MODEL, contents="just four words here")

    assert counted.total_tokens == 4


def test_a_repeated_prefix_is_reported_as_cached(beta: genai.Client) -> None:
    chat = beta.chats.create(model=MODEL)

    first = chat.send_message(f"{uuid4()} is the beginning")
    second = chat.send_message("and more")

    assert first.usage_metadata is not None
    assert first.usage_metadata.cached_content_token_count is None
    assert second.usage_metadata is not None
    assert second.usage_metadata.cached_content_token_count == 4
    assert second.usage_metadata.prompt_token_count == 4 + 20 + 2


def test_another_model_shares_no_prefix(beta: genai.Client) -> None:
    prompt = f"{uuid4()} is what only this test says"
    beta.models.generate_content(model="gemini-2.5-pro", contents=prompt)

    other = beta.models.generate_content(model="gemini-2.5-flash", contents=prompt)

    assert other.usage_metadata is not None
    assert other.usage_metadata.cached_content_token_count is None


def test_the_output_limit_cuts_a_plain_answer(beta: genai.Client) -> None:
    response = beta.models.generate_content(
        model=MODEL,
        contents="Speak long",
        config=types.GenerateContentConfig(max_output_tokens=6),
    )

    assert response.text == answer("Speak long", words=6)
    assert response.candidates
    assert response.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


def test_only_the_newest_message_of_a_transcript_gives_orders(
    beta: genai.Client,
) -> None:
    transcript = "User: [[status code=500]]\nAssistant: no\nUser: and now?\nAssistant:"

    response = beta.models.generate_content(model=MODEL, contents=transcript)

    assert question(transcript) == "and now?"
    assert response.text == answer("and now?")


def test_a_named_key_fails_only_so_many_times(beta: genai.Client) -> None:
    prompt = "Try [[status code=503 times=2 key=three-tries]]"

    for _ in range(2):
        with pytest.raises(errors.ServerError):
            beta.models.generate_content(model=MODEL, contents=prompt)

    third = beta.models.generate_content(model=MODEL, contents=prompt)
    assert third.text == answer("Try")


def test_echo_returns_what_was_received(beta: genai.Client) -> None:
    text = "  spaces,\n\nlines and ünïcode 🙂 stay "

    response = beta.models.generate_content(model=MODEL, contents=f"{text}[[echo]]")

    assert response.text == text.strip()


def test_markdown_is_always_the_same(beta: genai.Client) -> None:
    response = beta.models.generate_content(model=MODEL, contents="[[markdown]]")

    assert response.text == prose.MARKDOWN


def test_a_split_character_arrives_whole(beta: genai.Client) -> None:
    chunks = beta.models.generate_content_stream(model=MODEL, contents="[[utf8_split]]")

    assert "".join(chunk.text or "" for chunk in chunks) == prose.MULTILINGUAL


def test_a_huge_answer_has_exactly_the_length_asked_for(beta: genai.Client) -> None:
    chunks = beta.models.generate_content_stream(
        model=MODEL, contents="[[huge chars=1600000]]"
    )

    assert sum(len(chunk.text or "") for chunk in chunks) == 1_600_000


def test_thoughts_come_apart_from_the_text_and_are_signed(client: genai.Client) -> None:
    response = client.models.generate_content(
        model=MODEL, contents="Think [[thoughts words=9]]"
    )

    assert response.text == answer("Think")
    assert response.parts is not None
    thought, text, end = response.parts
    assert thought.thought
    assert thought.thought_signature
    assert not text.thought
    assert end.thought_signature
    assert response.usage_metadata is not None
    assert response.usage_metadata.thoughts_token_count == 9


def test_a_chat_with_thoughts_goes_on(beta: genai.Client) -> None:
    chat = beta.chats.create(model=MODEL)
    for chunk in chat.send_message_stream("Think [[thoughts words=4]]"):
        assert chunk.candidates

    response = chat.send_message("and on")

    assert response.text == answer("and on")


def test_models_are_listed_in_pages_and_found_by_name(client: genai.Client) -> None:
    names = [model.name for model in client.models.list(config={"page_size": 3})]

    assert f"models/{MODEL}" in names
    assert len(names) == len(set(names)) > 3
    model = client.models.get(model=MODEL)
    assert model.display_name == f"{MODEL}, answered by scripted (local)"


def test_an_unknown_model_is_not_found(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="no-such-model", contents="Hello")

    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_the_wrong_key_is_refused_in_geminis_words(server: str) -> None:
    with (
        connected(server, key="wrong-key") as client,
        pytest.raises(errors.ClientError) as caught,
    ):
        client.models.generate_content(model=MODEL, contents="Hello")

    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert caught.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"


GENERATE = f"/v1/models/{MODEL}:generateContent"
STREAM = f"/v1/models/{MODEL}:streamGenerateContent"
ROBOT = {"contents": [{"role": "robot", "parts": [{"text": "x"}]}]}
PICTURE: dict[str, object] = {"contents": [{"parts": [{"inlineData": {}}]}]}


@pytest.mark.parametrize(
    ("request_line", "payload", "expected"),
    [
        (f"POST {GENERATE}", {}, (400, "INVALID_ARGUMENT")),
        (f"POST {GENERATE}", b"{", (400, "INVALID_ARGUMENT")),
        (f"POST {GENERATE}", b"[" * 100_000, (400, "INVALID_ARGUMENT")),
        (f"POST {GENERATE}", [], (400, "INVALID_ARGUMENT")),
        (f"POST {GENERATE}", ROBOT, (400, "INVALID_ARGUMENT")),
        (f"POST {GENERATE}", PICTURE, (400, "INVALID_ARGUMENT")),
        (f"POST {GENERATE}", says("[[say words=x]]"), (400, "INVALID_ARGUMENT")),
        (f"POST {GENERATE}", says("[[status code=200]]"), (400, "INVALID_ARGUMENT")),
        (f"POST {STREAM}", says("x"), (400, "INVALID_ARGUMENT")),
        (f"GET {GENERATE}", None, (405, "METHOD_NOT_ALLOWED")),
        ("POST /v1/models", {}, (405, "METHOD_NOT_ALLOWED")),
        ("GET /v1/nothing", None, (404, "NOT_FOUND")),
        ("GET /v2/models", None, (404, "NOT_FOUND")),
        ("GET /", None, (404, "NOT_FOUND")),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_googles_shape(
    server: str, request_line: str, payload: object, expected: tuple[int, str]
) -> None:
    method, path = request_line.split()

    status, body, headers = call(method, server + path, payload)

    assert (status, body["error"]["status"]) == expected
    assert body["error"]["code"] == status
    assert body["error"]["message"]
    assert headers["Content-Type"].startswith("application/json")


def test_unknown_fields_do_no_harm(server: str) -> None:
    request = says("Hello") | {"futureField": {"x": 1}, "generationConfig": {"new": 2}}

    status, body, _ = call("POST", server + GENERATE, request)

    assert status == 200
    assert body["candidates"][0]["content"]["parts"] == [{"text": answer("Hello")}]


def test_lone_surrogates_do_no_harm(server: str) -> None:
    body = b'{"contents":[{"parts":[{"text":"a \\ud800 b [[echo]]"}]}]}'

    status, answered, _ = call("POST", server + GENERATE, body)

    assert status == 200
    assert answered["candidates"][0]["content"]["parts"][0]["text"] == "a ? b"


def test_the_journal_shows_the_request_but_not_the_key(
    beta: genai.Client, server: str
) -> None:
    beta.models.generate_content(model=MODEL, contents="Note this")

    entry = last_request(server)

    assert entry["path"] == f"/v1beta/models/{MODEL}:generateContent"
    assert entry["body"]["contents"][0]["parts"] == [{"text": "Note this"}]
    assert entry["disconnected"] is False
    assert entry["started_at"] < entry["ended_at"]
    assert "test-key" not in str(entry)
