"""Interactions with the scripted local Gemini: words, costs, and what is sent."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from chat import errors
from chat.completion import Prompt, Text
from chat.local_gemini.prose import MULTILINGUAL, answer
from tests.chat.gemini_calls import (
    completed,
    created,
    hear,
    interaction,
    mark,
    model_at,
    playing,
    requests_with,
    spoken,
    streamed,
    told,
)
from tests.servers import ROOT


async def test_an_answer_arrives_piece_by_piece_and_ends_with_its_cost(
    local_gemini: str,
) -> None:
    word = mark()

    async with model_at(local_gemini) as model:
        heard = await hear(model, interaction(f"{word} [[say words=6]]"))

    assert [type(piece) for piece in heard.pieces].count(Text) == 6
    assert heard.text == answer(word, words=6)
    assert heard.completion.finish_reason == "STOP"
    assert heard.completion.model_version == "scripted (local)"
    assert heard.completion.signatures == []
    assert heard.completion.interaction_id
    assert heard.usage.prompt_tokens == 3
    assert heard.usage.cached_tokens == 0
    assert heard.usage.output_tokens == 6
    assert heard.usage.thoughts_tokens == 0
    assert heard.usage.total_tokens == 9


async def test_the_next_turn_sends_only_what_is_new(local_gemini: str) -> None:
    word = mark()

    async with model_at(local_gemini, thinking_level="LOW") as model:
        first = await hear(model, interaction(f"{word} one"))
        previous = first.completion.interaction_id
        second = await hear(
            model,
            interaction(
                f"{word} two",
                previous_interaction_id=previous,
                system_instruction="Be kind.",
                max_output_tokens=100,
            ),
        )
    [_, request] = await requests_with(local_gemini, word)

    assert second.text == answer(f"{word} two")
    assert second.usage.prompt_tokens == 2 + 2 + 20 + 2
    assert second.completion.interaction_id != previous
    assert request["path"] == "/v1/interactions"
    assert request["body"] == {
        "model": "gemini-3.8-flash",
        "input": f"{word} two",
        "store": True,
        "stream": True,
        "previous_interaction_id": previous,
        "system_instruction": "Be kind.",
        "generation_config": {"thinking_level": "low", "max_output_tokens": 100},
    }
    assert int(request["headers"]["content-length"]) < 350


async def test_what_the_provider_keeps_it_has_cached(local_gemini: str) -> None:
    word = mark()

    async with model_at(local_gemini) as model:
        first = await hear(model, interaction(f"{word} one"))
        previous = first.completion.interaction_id
        second = await hear(model, interaction("two", previous_interaction_id=previous))

    assert second.usage.prompt_tokens == 2 + 20 + 1
    assert second.usage.cached_tokens == 2 + 20


async def test_a_conversation_that_the_provider_lacks_is_sent_whole(
    local_gemini: str,
) -> None:
    word = mark()
    asked = Prompt(
        "models/gemini-3.8-flash",
        [
            {"role": "user", "parts": [{"text": word}]},
            {"role": "model", "parts": [{"text": "Hi", "thoughtSignature": "c2ln"}]},
            {"role": "user", "parts": [{"text": "Hello"}]},
        ],
        is_interaction=True,
    )

    async with model_at(local_gemini) as model:
        heard = await hear(model, asked)
    [request] = await requests_with(local_gemini, word)

    assert heard.text == answer("Hello")
    assert request["body"]["model"] == "gemini-3.8-flash"
    assert [step["type"] for step in request["body"]["input"]] == [
        *("user_input", "model_output", "user_input")
    ]
    assert "c2ln" not in json.dumps(request["body"])


async def test_characters_split_between_packets_arrive_whole(local_gemini: str) -> None:
    async with model_at(local_gemini) as model:
        heard = await hear(model, interaction("[[utf8_split]]"))

    assert heard.text == MULTILINGUAL


async def test_thoughts_are_no_text(local_gemini: str) -> None:
    async with model_at(local_gemini) as model:
        heard = await hear(model, interaction("Why? [[thoughts words=4]]"))

    assert len(heard.thoughts.split()) == 4
    assert heard.text == answer("Why?")
    assert heard.usage.thoughts_tokens == 4
    assert heard.completion.signatures == []


async def test_an_answer_cut_by_a_limit_is_a_completion_that_says_so(
    local_gemini: str,
) -> None:
    async with model_at(local_gemini) as model:
        heard = await hear(model, interaction("Hello", max_output_tokens=7))

    assert heard.completion.finish_reason == "MAX_TOKENS"
    assert len(heard.text.split()) == 7


@pytest.mark.parametrize(
    ("directive", "kind", "reason", "words"),
    [
        ("[[safety after=5]]", errors.ResponseBlocked, "safety", 5),
        ("[[recitation after=5]]", errors.ResponseBlocked, "recitation", 5),
        ("[[blocked]]", errors.ResponseBlocked, "prohibited_content", 0),
        ("[[error_mid after=5 code=503]]", errors.GeminiUnavailable, "http_503", 5),
        ("[[error_mid after=5 code=429]]", errors.GeminiBusy, "rate_limited", 5),
        ("[[error_mid after=0 code=400]]", errors.GeminiRejected, "rejected", 0),
        ("[[bad_json after=5]]", errors.AnswerCutShort, "bad_chunk", 5),
        ("[[bad_json after=0]]", errors.GeminiError, "bad_response", 0),
        ("[[empty_text]]", errors.EmptyAnswer, "empty", 0),
        ("[[empty_candidates]]", errors.EmptyAnswer, "empty", 0),
        ("[[thought_only]]", errors.EmptyAnswer, "thoughts_only", 0),
        ("[[html]]", errors.GeminiError, "bad_response", 0),
        ("[[wrong_ct]]", errors.GeminiError, "bad_response", 0),
        ("[[bad_gzip]]", errors.GeminiError, "bad_response", 0),
        ("[[status code=400]]", errors.GeminiRejected, "rejected", 0),
        ("[[status code=401]]", errors.GeminiRefused, "wrong_key", 0),
        ("[[status code=403]]", errors.GeminiRefused, "permission_denied", 0),
        ("[[status code=404]]", errors.UnknownModel, "unknown_model", 0),
    ],
)
async def test_a_bad_end_is_an_error_after_one_call(
    local_gemini: str,
    directive: str,
    kind: type[errors.GeminiError],
    reason: str,
    words: int,
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(model, interaction(f"{word} {directive}"))

    assert type(heard.error) is kind
    assert heard.error.reason == reason
    assert heard.text == (answer(word, words=words) if words else "")
    assert len(await requests_with(local_gemini, word)) == 1


async def test_a_failed_answer_tells_what_the_provider_keeps_of_it(
    local_gemini: str,
) -> None:
    async with model_at(local_gemini) as model:
        heard = await hear(model, interaction("Hello [[safety after=3]]"))
        assert heard.error is not None
        kept = heard.error.interaction_id
        assert kept
        await model.delete_interaction(kept)

    assert heard.usage.output_tokens == 3
    assert heard.error.finish_reason == "SAFETY"


async def test_text_that_looks_like_line_breaks_stays_one_text() -> None:
    text = "a\u2028b\x85c\x0bd\re\nf"
    event = json.dumps(spoken(text), ensure_ascii=False)
    body = told(created(), event, completed(), "[DONE]").replace(b"\n", b"\r\n")

    async with (
        playing(streamed(body)) as upstream,
        model_at(upstream.url) as model,
    ):
        heard = await hear(model, interaction("Hello"))

    assert heard.text == text


async def test_what_no_database_can_store_is_replaced() -> None:
    odd = (
        '{"event_type":"step.delta","delta":{"type":"text","text":"a\\u0000\\ud800b"}}'
    )
    body = told(created("no id\n" * 99), odd, completed(id="also no id"))

    async with playing(streamed(body)) as upstream, model_at(upstream.url) as model:
        heard = await hear(model, interaction("Hello"))

    assert heard.text == "a\ufffd\ufffdb"
    assert heard.completion.interaction_id is None


async def test_the_connection_is_kept_for_the_next_turn() -> None:
    played = streamed(told(created(), spoken("Hello"), completed(), "[DONE]"))

    async with playing(played) as upstream, model_at(upstream.url) as model:
        for _ in range(3):
            assert (await hear(model, interaction("Hello"))).text == "Hello"

        assert len(upstream.requests) == 3
        assert upstream.connection_count == 1


def test_the_first_interaction_is_imported_beside_the_event_loop(
    local_gemini: str,
) -> None:
    script = textwrap.dedent("""
        import asyncio, sys, time
        from chat.gemini import Config, GeminiModel, Prompt, Text

        model = GeminiModel(Config(api_key="local-key", base_url=sys.argv[1]))
        model.warm()
        assert "google.genai._interactions" not in sys.modules

        async def tick():
            longest_s, before = 0.0, time.monotonic()
            while "google.genai._gaos.google_genai" not in sys.modules or not done:
                await asyncio.sleep(0.005)
                now = time.monotonic()
                longest_s, before = max(longest_s, now - before), now
            return longest_s

        async def main():
            global done
            done = False
            ticking = asyncio.create_task(tick())
            contents = [{"role": "user", "parts": [{"text": "[[say words=2]]"}]}]
            prompt = Prompt("gemini-x", contents, is_interaction=True)
            started = time.monotonic()
            texts = await asyncio.gather(*(read(prompt) for _ in range(3)))
            took_s = time.monotonic() - started
            done = True
            longest_s = await ticking
            await model.close()
            print(longest_s < max(0.25, took_s / 2), len(set(texts)))

        async def read(prompt):
            return "".join([p.text async for p in model.stream(prompt)
                            if isinstance(p, Text)])

        asyncio.run(main())
    """)

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, local_gemini],
        cwd=ROOT,
        env=os.environ | {"GOOGLE_GENAI_HTTP_CLIENT": "httpx"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == ["True", "1"], done.stderr
