"""The fast way to read a stream is the SDK's documented way, only faster."""

import json
from dataclasses import replace

import pytest

from chat import errors
from chat.completion import Prompt
from chat.gemini_config import Decoder
from tests.chat.gemini_calls import Heard, hear, mark, model_at, requests_with

both_decoders = pytest.mark.parametrize("decoder", ["raw", "public"])

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


def verdict(heard: Heard) -> tuple[object, ...]:
    """What both decoders must agree on; what was cached depends on the turn's past."""
    usage = heard.error.usage if heard.error else heard.completion.usage
    known = usage and replace(usage, cached_tokens=None)
    if error := heard.error:
        end = (type(error), error.reason, error.finish_reason, error.retry_after_s)
        return heard.pieces, known, end
    completion = heard.completion
    return heard.pieces[:-1], replace(completion, usage=known)


@pytest.mark.parametrize("directive", DIRECTIVES)
async def test_both_decoders_hear_the_same(local_gemini: str, directive: str) -> None:
    async with (
        model_at(local_gemini, decoder="raw") as raw,
        model_at(local_gemini, decoder="public") as public,
    ):
        heard_raw = await hear(raw, f"Hello {directive}")
        heard_public = await hear(public, f"Hello {directive}")

        assert raw.describe().decoder == "raw"
        assert public.describe().decoder == "public"
    assert verdict(heard_raw) == verdict(heard_public)


# The SDK warns of a finish reason that it does not know.
@pytest.mark.filterwarnings("ignore:.*is not a valid FinishReason")
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
