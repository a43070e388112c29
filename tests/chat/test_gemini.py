"""The real SDK talks to the scripted local Gemini, in both ways of reading it."""

import asyncio
import json
import uuid
from contextlib import aclosing
from dataclasses import replace

import pytest

from chat import errors
from chat.completion import Prompt, Text, Usage
from chat.gemini import GeminiModel
from chat.gemini_config import Decoder
from chat.local_gemini.prose import MULTILINGUAL, answer
from tests.chat.gemini_calls import (
    Heard,
    eventually,
    hear,
    model_at,
    prompt,
    requests_with,
)

both_decoders = pytest.mark.parametrize("decoder", ["raw", "public"])

# A finish reason that the SDK does not know makes it warn.
unknown_reason = pytest.mark.filterwarnings("ignore:.*is not a valid FinishReason")

DIRECTIVES = [
    "",
    "[[say words=30 chunk_words=3]]",
    "[[markdown]]",
    "[[utf8_split]]",
    "[[dup_chunks]]",
    "[[huge chars=200000]]",
    "[[thoughts words=4]]",
    "[[finish reason=MAX_TOKENS after=7]]",
    "[[finish reason=CONTINUATION after=7]]",
    "[[finish reason=OTHER after=7]]",
    "[[safety after=3]]",
    "[[recitation after=3]]",
    "[[blocked]]",
    "[[empty_candidates]]",
    "[[no_candidates]]",
    "[[empty_text]]",
    "[[null_text]]",
    "[[thought_only]]",
    "[[early_end after=5]]",
    "[[early_end after=0]]",
    "[[cut after=5]]",
    "[[cut after=0]]",
    "[[cut_close after=5]]",
    "[[bad_json after=5]]",
    "[[bad_json after=0]]",
    "[[error_mid after=5 code=429 retry_s=9]]",
    "[[error_mid after=5 code=503]]",
    "[[error_mid after=0 code=503]]",
    "[[html]]",
    "[[wrong_ct]]",
    "[[bad_gzip]]",
    "[[reset]]",
    "[[hang]]",
    "[[stall after=5]]",
    "[[drip delay_ms=80 words=1000]]",
    "[[status code=400]]",
    "[[status code=401]]",
    "[[status code=403]]",
    "[[status code=404]]",
    "[[status code=429 retry_s=7]]",
    "[[status code=429]]",
    "[[status code=500]]",
    "[[status code=503]]",
    "[[status code=504]]",
]


def mark() -> str:
    """A word by which a test finds its own requests."""
    return f"mark-{uuid.uuid4().hex}"


def verdict(heard: Heard) -> tuple[object, ...]:
    """What both decoders must agree on; what was cached depends on the turn's past."""
    error = heard.error
    end: tuple[object, ...] = ("complete",)
    if error is None:
        end = (heard.completion.finish_reason, heard.completion.signatures)
    else:
        end = (type(error), error.reason, error.finish_reason, error.retry_after_s)
    usage = error.usage if error else heard.completion.usage
    pieces = [piece for piece in heard.pieces if isinstance(piece, Text)]
    return pieces, heard.thoughts, usage and replace(usage, cached_tokens=None), end


@pytest.mark.parametrize("directive", DIRECTIVES)
async def test_both_decoders_hear_the_same(local_gemini: str, directive: str) -> None:
    heard = {}

    for decoder in ("raw", "public"):
        async with model_at(
            local_gemini,
            decoder=decoder,
            first_text_deadline_s=0.6,
            idle_deadline_s=0.4,
            total_deadline_s=0.8,
        ) as model:
            heard[decoder] = await hear(model, f"Hello {directive}")
            assert model.describe().decoder == decoder

    assert verdict(heard["raw"]) == verdict(heard["public"])


@unknown_reason
@both_decoders
async def test_a_finish_reason_nobody_knows_is_no_good_end(
    local_gemini: str, decoder: Decoder
) -> None:
    async with model_at(local_gemini, decoder=decoder) as model:
        heard = await hear(model, "Hello [[finish reason=NEW_REASON after=3]]")

    assert heard.text
    assert isinstance(heard.error, errors.GeminiError)
    assert heard.error.reason == "unknown_finish"
    assert heard.error.finish_reason == "NEW_REASON"


@both_decoders
async def test_both_decoders_send_the_same(local_gemini: str, decoder: Decoder) -> None:
    word = mark()
    asked = Prompt(
        model="gemini-3.8-flash",
        contents=[
            {"role": "user", "parts": [{"text": word}]},
            {
                "role": "model",
                "parts": [{"text": "Hi"}, {"text": "", "thoughtSignature": "c2ln+/A="}],
            },
            {"role": "user", "parts": [{"text": "Hello"}]},
        ],
        system_instruction="Be kind.",
        max_output_tokens=77,
    )

    async with model_at(
        local_gemini, decoder=decoder, api_version="v1beta", thinking_level="LOW"
    ) as model:
        await hear(model, asked)
    [request] = await requests_with(local_gemini, word)

    assert request["path"] == "/v1beta/models/gemini-3.8-flash:streamGenerateContent"
    assert request["query"] == {"alt": "sse"}
    assert request["headers"]["x-server-timeout"] == "300"
    assert "google-genai-sdk/" in request["headers"]["user-agent"]
    body = request["body"]
    assert set(body) == {"contents", "generationConfig", "systemInstruction"}
    assert body["systemInstruction"]["parts"] == [{"text": "Be kind."}]
    assert body["contents"][0] == asked.contents[0]
    assert body["contents"][1]["parts"][0] == {"text": "Hi"}
    # The SDK writes base64 in its URL-safe alphabet; Google's JSON takes both.
    signature = body["contents"][1]["parts"][1]["thoughtSignature"]
    assert signature.translate(str.maketrans("-_", "+/")) == "c2ln+/A="
    settings = json.dumps(body["generationConfig"]).replace("_l", "L")
    assert json.loads(settings) == {
        "maxOutputTokens": 77,
        "thinkingConfig": {"thinkingLevel": "LOW"},
    }


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
        ("[[status code=404]]", errors.GeminiRejected, "unknown_model"),
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


@pytest.mark.parametrize(
    ("directive", "reason", "words"),
    [
        ("[[hang]]", "first_text_deadline", 0),
        ("[[stall after=4]]", "idle_deadline", 4),
        ("[[drip delay_ms=50]]", "total_deadline", None),
    ],
)
async def test_our_deadlines_end_the_answer_and_the_servers_work(
    local_gemini: str, directive: str, reason: str, words: int | None
) -> None:
    word = mark()

    async with model_at(
        local_gemini,
        first_text_deadline_s=0.5,
        idle_deadline_s=0.3,
        total_deadline_s=0.7,
        max_retries=2,
    ) as model:
        heard = await hear(model, f"{word} {directive}")
        request = await eventually(local_gemini, word, lambda r: r["ended_at"])

    assert isinstance(heard.error, errors.GeminiTimeout)
    assert heard.error.reason == reason
    assert words is None or len(heard.text.split()) == words
    assert request["disconnected"]


@both_decoders
async def test_cancelling_the_reader_ends_the_servers_work(
    local_gemini: str, decoder: Decoder
) -> None:
    word = mark()
    has_begun = asyncio.Event()

    async def read(model: GeminiModel) -> None:
        async for _ in model.stream(prompt(f"{word} [[drip delay_ms=20]]")):
            has_begun.set()

    async with model_at(local_gemini, decoder=decoder) as model:
        reader = asyncio.create_task(read(model))
        await has_begun.wait()
        reader.cancel()
        request = await eventually(local_gemini, word, lambda r: r["ended_at"])

        with pytest.raises(asyncio.CancelledError):
            await reader
    assert request["disconnected"]
    assert request["chunks_sent"] < 60


@both_decoders
async def test_closing_the_iterator_between_two_pieces_ends_the_servers_work(
    local_gemini: str, decoder: Decoder
) -> None:
    word = mark()

    async with model_at(local_gemini, decoder=decoder) as model:
        async with aclosing(
            model.stream(prompt(f"{word} [[drip delay_ms=20]]"))
        ) as pieces:
            await anext(pieces)
        request = await eventually(local_gemini, word, lambda r: r["ended_at"])

    assert request["disconnected"]
    assert request["chunks_sent"] < 60


async def test_a_slow_answer_lives_as_long_as_it_goes_on(local_gemini: str) -> None:
    async with model_at(
        local_gemini, first_text_deadline_s=0.3, idle_deadline_s=0.3
    ) as model:
        heard = await hear(model, "[[say words=8 delay_ms=100]]")

    assert heard.completion.finish_reason == "STOP"


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
