"""Every fault the scripted brain can be told, as Google's client meets it."""

import json
import re
import time
from contextlib import suppress
from uuid import uuid4

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from chat.local_gemini.scripted import answer

from .conftest import MODEL
from .plain import connect, ended_request, exchange, says

STREAM = f"/models/{MODEL}:streamGenerateContent?alt=sse"


def streamed(client: genai.Client, prompt: str) -> list[types.GenerateContentResponse]:
    """Collect a whole stream."""
    return list(client.models.generate_content_stream(model=MODEL, contents=prompt))


def until_failure(client: genai.Client, prompt: str) -> tuple[str, Exception]:
    """Return the text that came before a stream failed, and the failure."""
    text = ""
    try:
        for chunk in client.models.generate_content_stream(
            model=MODEL, contents=prompt
        ):
            text += chunk.text or ""
    except Exception as failure:  # noqa: BLE001 - the failure is what is looked at
        return text, failure
    raise AssertionError("the stream did not fail")


def finish_reason(chunk: types.GenerateContentResponse) -> types.FinishReason | None:
    """Return the finish reason of the only candidate, if there is one."""
    return chunk.candidates[0].finish_reason if chunk.candidates else None


@pytest.mark.parametrize("is_stream", [True, False])
@pytest.mark.parametrize(
    ("code", "status"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
def test_an_http_error_comes_before_the_answer(
    beta: genai.Client, is_stream: bool, code: int, status: str
) -> None:
    def ask(prompt: str) -> object:
        if is_stream:
            return streamed(beta, prompt)
        return beta.models.generate_content(model=MODEL, contents=prompt)

    with pytest.raises(errors.APIError) as caught:
        ask(f"[[status code={code}]]")

    assert (caught.value.code, caught.value.status) == (code, status)


def test_a_429_says_when_to_come_back(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as caught:
        streamed(client, "[[status code=429 retry_s=7]]")

    details = caught.value.details["error"]["details"]
    assert details == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
    ]
    assert caught.value.response.headers["retry-after"] == "7"


def test_a_reset_connection_gives_no_answer(beta: genai.Client) -> None:
    text, failure = until_failure(beta, "[[reset]]")

    assert text == ""
    assert isinstance(failure, httpx2.ReadError)


def test_a_cut_stream_keeps_what_came_before(beta: genai.Client) -> None:
    text, failure = until_failure(beta, "Cut me [[cut after=5]]")

    assert text == answer("Cut me", words=5)
    assert isinstance(failure, httpx2.RemoteProtocolError)


def test_a_cut_without_framing_looks_like_a_clean_end(beta: genai.Client) -> None:
    chunks = streamed(beta, "Cut me [[cut_close after=5]]")

    assert "".join(chunk.text or "" for chunk in chunks) == answer("Cut me", words=5)
    assert finish_reason(chunks[-1]) is None


def test_an_early_end_has_no_finish_reason(client: genai.Client) -> None:
    chunks = streamed(client, "Short [[early_end after=4]]")

    assert "".join(chunk.text or "" for chunk in chunks) == answer("Short", words=4)
    assert [finish_reason(chunk) for chunk in chunks] == [None] * 4


def test_broken_json_is_no_chunk(beta: genai.Client) -> None:
    text, failure = until_failure(beta, "Broken [[bad_json after=3]]")

    assert text == answer("Broken", words=3)
    assert isinstance(failure, errors.UnknownApiResponseError)


def test_an_error_inside_the_stream_is_raised(beta: genai.Client) -> None:
    text, failure = until_failure(beta, "[[error_mid after=3 code=503]]")

    assert text == answer("", words=3)
    assert isinstance(failure, errors.ServerError)
    assert failure.code == 503


def test_a_login_page_is_no_answer(beta: genai.Client) -> None:
    _, failure = until_failure(beta, "[[html]]")

    assert isinstance(failure, errors.UnknownApiResponseError)


def test_what_is_not_gzip_cannot_be_unpacked(beta: genai.Client) -> None:
    _, failure = until_failure(beta, "[[bad_gzip]]")

    assert isinstance(failure, httpx2.DecodingError)


def test_a_wrong_content_type_is_on_the_wire(server: str) -> None:
    raw = exchange(server, STREAM, says("[[wrong_ct]]"))

    assert b"Content-Type: application/octet-stream\r\n" in raw
    assert b'"finishReason":"STOP"' in raw


def test_characters_are_split_between_two_writes(server: str) -> None:
    raw = exchange(server, STREAM, says("[[utf8_split]]"))

    assert re.search(rb"[\xc3-\xf0]\r\n[0-9a-f]+\r\n[\x80-\xbf]", raw)


def test_a_blocked_prompt_has_a_reason_and_no_candidates(client: genai.Client) -> None:
    (chunk,) = streamed(client, "[[blocked]]")

    assert chunk.candidates is None
    assert chunk.prompt_feedback is not None
    assert chunk.prompt_feedback.block_reason == "PROHIBITED_CONTENT"


@pytest.mark.parametrize("name", ["safety", "recitation"])
def test_a_withheld_answer_ends_without_text(beta: genai.Client, name: str) -> None:
    chunks = streamed(beta, f"Careful [[{name} after=2]]")

    assert "".join(chunk.text or "" for chunk in chunks) == answer("Careful", words=2)
    assert chunks[-1].text is None
    assert finish_reason(chunks[-1]) == name.upper()


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "LANGUAGE", "A_REASON_OF_TOMORROW"])
@pytest.mark.filterwarnings("ignore:A_REASON_OF_TOMORROW")
def test_any_finish_reason_can_be_asked_for(beta: genai.Client, reason: str) -> None:
    chunks = streamed(beta, f"End [[finish reason={reason} after=3]]")

    assert "".join(chunk.text or "" for chunk in chunks).startswith(
        answer("End", words=2)
    )
    assert finish_reason(chunks[-1]) == reason


@pytest.mark.parametrize("name", ["empty_candidates", "no_candidates"])
def test_there_may_be_no_candidates(client: genai.Client, name: str) -> None:
    response = client.models.generate_content(model=MODEL, contents=f"[[{name}]]")

    assert not response.candidates
    assert response.text is None


def test_empty_and_null_texts_are_told_apart(server: str) -> None:
    empty = exchange(server, STREAM, says("[[empty_text]]"))
    null = exchange(server, STREAM, says("[[null_text]]"))

    assert b'"parts":[{"text":""}]' in empty
    assert b'"parts":[{"text":null}]' in null


def test_an_answer_of_thoughts_alone_has_no_text(client: genai.Client) -> None:
    response = client.models.generate_content(model=MODEL, contents="[[thought_only]]")

    assert response.text is None
    assert finish_reason(response) == types.FinishReason.STOP


def test_doubled_chunks_double_the_words(beta: genai.Client) -> None:
    chunks = streamed(beta, "Twice [[dup_chunks words=3]]")

    first, second, third = answer("Twice", words=3).split(" ")
    text = "".join(chunk.text or "" for chunk in chunks)
    assert text == f"{first}{first} {second} {second} {third}"


def test_a_hanging_request_gets_nothing(server: str) -> None:
    with connect(server, f"/v1{STREAM}", says("[[hang]]")) as connection:
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)

    assert ended_request(server)["disconnected"] is True


def test_a_stalled_stream_goes_silent_after_some_words(server: str) -> None:
    received = b""
    with connect(server, f"/v1{STREAM}", says("[[stall after=2]]")) as connection:
        while received.count(b"data: ") < 2:
            part = connection.recv(65536)
            assert part, "the stream ended"
            received += part
        connection.settimeout(0.3)
        with suppress(TimeoutError):
            while part := connection.recv(65536):
                received += part
            raise AssertionError("the stream ended")

    assert received.count(b"data: ") == 2
    assert ended_request(server)["chunks_sent"] == 2


def test_a_drip_is_slow(server: str) -> None:
    started = time.monotonic()
    prompt = says("[[drip words=4 delay_ms=100]]")

    exchange(server, STREAM, prompt)

    assert time.monotonic() - started >= 0.3


def test_a_client_that_leaves_stops_the_answer(server: str) -> None:
    with connect(server, f"/v1{STREAM}", says("[[drip delay_ms=20]]")) as connection:
        connection.recv(65536)

    entry = ended_request(server)

    assert entry["disconnected"] is True
    assert 1 <= entry["chunks_sent"] < 50


def test_whole_answers_meet_the_same_faults(beta: genai.Client) -> None:
    def ask(prompt: str) -> types.GenerateContentResponse:
        return beta.models.generate_content(model=MODEL, contents=prompt)

    with pytest.raises(httpx2.RemoteProtocolError):
        ask("[[cut]]")
    with pytest.raises(json.JSONDecodeError):
        ask("[[bad_json]]")
    with pytest.raises(errors.ServerError):
        ask("[[error_mid code=500]]")
    assert finish_reason(ask("[[early_end]]")) is None
    assert finish_reason(ask("[[safety]]")) == types.FinishReason.SAFETY


def test_the_stream_is_framed_as_the_client_expects(server: str) -> None:
    raw = exchange(server, STREAM, says(f"{uuid4()} [[say words=2]]"))
    head, _, body = raw.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: text/event-stream" in head
    assert b"Transfer-Encoding: chunked" in head
    assert body.count(b"data: {") == 2
    assert body.count(b"}\r\n\r\n\r\n") == 2
    assert body.endswith(b"0\r\n\r\n")
    assert b"cachedContentTokenCount" not in body
