"""The real SDK talks to the scripted local Gemini: words, costs and how it ends."""

import asyncio

import pytest

from chat import errors
from chat.completion import Usage
from chat.gemini_config import Decoder
from chat.local_gemini.prose import MULTILINGUAL, answer
from tests.chat.gemini_calls import (
    event,
    events,
    hear,
    mark,
    model_at,
    playing,
    reply,
    requests_with,
    said,
)


async def test_an_answer_arrives_piece_by_piece_and_ends_with_its_cost(
    local_gemini: str,
) -> None:
    word = mark()

    async with model_at(local_gemini) as model:
        heard = await hear(model, f"{word} [[say words=6]]")

    assert len(heard.pieces) == 7
    assert heard.text == answer(word, words=6)
    assert heard.completion.finish_reason == "STOP"
    assert heard.completion.model_version == "scripted (local)"
    assert heard.usage.output_tokens == 6
    assert heard.usage.thoughts_tokens == 0
    assert heard.usage.cached_tokens is not None


async def test_characters_split_between_packets_arrive_whole(local_gemini: str) -> None:
    async with model_at(local_gemini) as model:
        heard = await hear(model, "[[utf8_split]]")

    assert heard.text == MULTILINGUAL


async def test_thoughts_are_no_text_and_signed_parts_are_kept(
    local_gemini: str,
) -> None:
    async with model_at(local_gemini) as model:
        heard = await hear(model, "Why? [[thoughts words=4]]")

    assert len(heard.thoughts.split()) == 4
    assert heard.text == answer("Why?")
    assert heard.usage.thoughts_tokens == 4
    assert any("thoughtSignature" in part for part in heard.completion.signatures)


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "CONTINUATION"])
async def test_an_answer_cut_by_a_limit_is_a_completion_that_says_so(
    local_gemini: str, reason: str
) -> None:
    async with model_at(local_gemini) as model:
        heard = await hear(model, f"Hello [[finish reason={reason} after=7]]")

    assert heard.completion.finish_reason == reason
    assert len(heard.text.split()) == 7


@pytest.mark.parametrize(
    ("directive", "kind", "reason"),
    [
        ("[[early_end after=5]]", errors.AnswerCutShort, "early_end"),
        ("[[cut after=5]]", errors.AnswerCutShort, "cut"),
        ("[[cut_close after=5]]", errors.AnswerCutShort, "early_end"),
        ("[[bad_json after=5]]", errors.AnswerCutShort, "bad_chunk"),
        ("[[safety after=5]]", errors.ResponseBlocked, "safety"),
        ("[[recitation after=5]]", errors.ResponseBlocked, "recitation"),
        ("[[finish reason=OTHER after=5]]", errors.GeminiError, "unknown_finish"),
        ("[[error_mid after=5 code=503]]", errors.GeminiUnavailable, "http_503"),
        ("[[error_mid after=5 code=429]]", errors.GeminiBusy, "rate_limited"),
    ],
)
async def test_an_answer_that_breaks_off_keeps_its_words_and_is_not_tried_again(
    local_gemini: str, directive: str, kind: type[errors.GeminiError], reason: str
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(model, f"{word} {directive}")

    assert type(heard.error) is kind
    assert heard.error.reason == reason
    assert heard.text == answer(word, words=5)
    assert len(await requests_with(local_gemini, word)) == 1


@pytest.mark.parametrize(
    ("directive", "kind", "reason"),
    [
        ("[[blocked]]", errors.ResponseBlocked, "blocked_prompt"),
        ("[[empty_candidates]]", errors.EmptyAnswer, "empty"),
        ("[[no_candidates]]", errors.EmptyAnswer, "empty"),
        ("[[empty_text]]", errors.EmptyAnswer, "empty"),
        ("[[null_text]]", errors.EmptyAnswer, "empty"),
        ("[[early_end after=0]]", errors.EmptyAnswer, "empty"),
        ("[[thought_only]]", errors.EmptyAnswer, "thoughts_only"),
        ("[[html]]", errors.GeminiError, "bad_response"),
        ("[[wrong_ct]]", errors.GeminiError, "bad_response"),
        ("[[bad_gzip]]", errors.GeminiError, "bad_response"),
        ("[[bad_json after=0]]", errors.GeminiError, "bad_response"),
        ("[[status code=400]]", errors.GeminiRejected, "rejected"),
        ("[[status code=401]]", errors.GeminiRefused, "wrong_key"),
        ("[[status code=403]]", errors.GeminiRefused, "permission_denied"),
        ("[[status code=404]]", errors.UnknownModel, "unknown_model"),
    ],
)
async def test_a_refusal_or_an_empty_answer_is_an_error_after_one_call(
    local_gemini: str, directive: str, kind: type[errors.GeminiError], reason: str
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(model, f"{word} {directive}")

    assert type(heard.error) is kind
    assert heard.error.reason == reason
    assert heard.text == ""
    assert len(await requests_with(local_gemini, word)) == 1


async def test_a_wrong_key_is_the_operators_business(local_gemini: str) -> None:
    async with model_at(local_gemini, api_key="wrong-key") as model:
        heard = await hear(model, "Hello")

    assert isinstance(heard.error, errors.GeminiRefused)
    assert heard.error.reason == "wrong_key"
    assert "operator" in heard.error.detail
    assert "wrong-key" not in heard.error.upstream


async def test_fifty_answers_at_once_stay_apart(local_gemini: str) -> None:
    words = [mark() for _ in range(50)]

    async with model_at(local_gemini) as model:
        heard = await asyncio.gather(
            *(hear(model, f"{word} [[say words=12 delay_ms=5]]") for word in words)
        )

    assert [one.text for one in heard] == [answer(word, words=12) for word in words]


async def test_usage_before_a_failure_is_known(local_gemini: str) -> None:
    async with model_at(local_gemini) as model:
        heard = await hear(model, "one two [[safety after=3]]")

    assert isinstance(heard.error, errors.ResponseBlocked)
    assert isinstance(heard.error.usage, Usage)
    assert heard.error.finish_reason == "SAFETY"


@pytest.mark.parametrize("decoder", ["raw", "public"])
async def test_what_no_database_can_store_is_replaced(decoder: Decoder) -> None:
    broken = rb'{"candidates": [{"content": {"parts": [{"text": "a\u0000b\ud800c"}]}, '
    body = b"data: " + broken + b'"finishReason": "STOP"}]}\r\n\r\n'
    played = reply("200 OK", body, "text/event-stream")

    async with (
        playing(played) as upstream,
        model_at(upstream.url, decoder=decoder) as model,
    ):
        heard = await hear(model, "Hello")

    assert heard.text == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("tail", [b"", event({"usageMetadata": "?"}), b"data: {"])
async def test_what_follows_the_finish_reason_spoils_nothing(tail: bytes) -> None:
    body = event(said("Hello")) + tail
    played = reply("200 OK", body, "text/event-stream", "Content-Length: 9999")

    async with playing(played) as upstream, model_at(upstream.url) as model:
        heard = await hear(model, "Hello")

    assert heard.text == "Hello"
    assert heard.completion.finish_reason == "STOP"


async def test_an_error_object_without_a_code_is_an_unreadable_answer() -> None:
    played = events({"error": {"message": "odd"}})

    async with playing(played) as upstream, model_at(upstream.url) as model:
        heard = await hear(model, "Hello")

    assert isinstance(heard.error, errors.GeminiError)
    assert heard.error.reason == "bad_response"


async def test_what_a_failure_says_is_logged_but_not_what_was_talked_about(
    local_gemini: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with model_at(local_gemini) as model:
        await hear(model, "private [[status code=503]]")
        await hear(model, "private [[bad_json after=3]]")

    assert "http_503 (503 UNAVAILABLE: The model is overloaded." in caplog.text
    assert "bad_chunk (UnknownApiResponseError)" in caplog.text
    assert "Answer" not in caplog.text
    assert "private" not in caplog.text
