"""Whoever ends an answer early, a reader or a deadline: the server's work ends too."""

import asyncio
import gc
from contextlib import aclosing

import pytest

from chat import errors
from chat.gemini import GeminiModel
from chat.gemini_config import Decoder
from tests.chat.gemini_calls import eventually, hear, mark, model_at, prompt

both_decoders = pytest.mark.parametrize("decoder", ["raw", "public"])


@both_decoders
@pytest.mark.parametrize(
    ("directive", "reason", "deadline"),
    [
        ("[[hang]]", "first_text_deadline", {"first_text_deadline_s": 0.5}),
        ("[[stall after=4]]", "idle_deadline", {"idle_deadline_s": 0.5}),
        ("[[drip delay_ms=50]]", "total_deadline", {"total_deadline_s": 1.0}),
    ],
)
async def test_our_deadlines_end_the_answer_and_the_servers_work(
    local_gemini: str,
    decoder: Decoder,
    directive: str,
    reason: str,
    deadline: dict[str, float],
) -> None:
    word = mark()

    async with model_at(
        local_gemini, decoder=decoder, max_retries=2, **deadline
    ) as model:
        heard = await hear(model, f"{word} {directive}")
        request = await eventually(local_gemini, word, lambda r: r["ended_at"])

    assert isinstance(heard.error, errors.GeminiTimeout)
    assert heard.error.reason == reason
    assert bool(heard.text) == ("hang" not in directive)
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
        gc.disable()  # whoever waits for it waits too long
        try:
            async with aclosing(
                model.stream(prompt(f"{word} [[drip delay_ms=20]]"))
            ) as pieces:
                await anext(pieces)
            request = await eventually(local_gemini, word, lambda r: r["ended_at"])
        finally:
            gc.enable()

    assert request["disconnected"]
    assert request["chunks_sent"] < 60


async def test_a_slow_answer_lives_as_long_as_it_goes_on(local_gemini: str) -> None:
    async with model_at(
        local_gemini, first_text_deadline_s=1.0, idle_deadline_s=1.0
    ) as model:
        heard = await hear(model, "[[say words=10 delay_ms=150]]")

    assert heard.completion.finish_reason == "STOP"
