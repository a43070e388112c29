"""Interactions that are ended, refused or tried again, as all other answers are."""

import asyncio
import gc
import random
import time
from contextlib import aclosing

import pytest

from chat import errors
from chat.gemini import GeminiModel
from chat.local_gemini.prose import answer
from oracle_site.launcher.claims import free_port
from tests.chat.gemini_calls import (
    eventually,
    hear,
    interaction,
    mark,
    model_at,
    playing,
    reply,
    requests_with,
)


@pytest.fixture(autouse=True)
def _shortest_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance always chooses the lower end."""
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)


@pytest.mark.parametrize(
    ("directive", "reason", "deadline"),
    [
        ("[[hang]]", "first_text_deadline", {"first_text_deadline_s": 0.5}),
        ("[[stall after=4]]", "idle_deadline", {"idle_deadline_s": 0.5}),
        ("[[drip delay_ms=50]]", "total_deadline", {"total_deadline_s": 1.0}),
    ],
)
async def test_our_deadlines_end_the_answer_and_the_servers_work(
    local_gemini: str, directive: str, reason: str, deadline: dict[str, float]
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=2, **deadline) as model:
        heard = await hear(model, interaction(f"{word} {directive}"))
        request = await eventually(local_gemini, word, lambda r: r["ended_at"])

    assert isinstance(heard.error, errors.GeminiTimeout)
    assert heard.error.reason == reason
    assert bool(heard.text) == ("hang" not in directive)
    assert request["disconnected"]


async def test_cancelling_the_reader_ends_the_servers_work(local_gemini: str) -> None:
    word = mark()
    has_begun = asyncio.Event()

    async def read(model: GeminiModel) -> None:
        asked = interaction(f"{word} [[drip delay_ms=20]]")
        async for _ in model.stream(asked):
            has_begun.set()

    async with model_at(local_gemini) as model:
        reader = asyncio.create_task(read(model))
        await has_begun.wait()
        reader.cancel()
        request = await eventually(local_gemini, word, lambda r: r["ended_at"])

        with pytest.raises(asyncio.CancelledError):
            await reader
    assert request["disconnected"]
    assert request["chunks_sent"] < 60


async def test_closing_the_iterator_between_two_pieces_ends_the_servers_work(
    local_gemini: str,
) -> None:
    word = mark()

    async with model_at(local_gemini) as model:
        gc.disable()  # whoever waits for it waits too long
        try:
            asked = interaction(f"{word} [[drip delay_ms=20]]")
            async with aclosing(model.stream(asked)) as pieces:
                await anext(pieces)
            request = await eventually(local_gemini, word, lambda r: r["ended_at"])
        finally:
            gc.enable()

    assert request["disconnected"]
    assert request["chunks_sent"] < 60


async def test_an_abandoned_answer_gives_its_connection_back(local_gemini: str) -> None:
    async with model_at(
        local_gemini, max_connections=1, first_text_deadline_s=10
    ) as model:
        for _ in range(3):
            asked = interaction("[[drip delay_ms=10]]")
            async with aclosing(model.stream(asked)) as pieces:
                await anext(pieces)
        refused = await hear(model, interaction("[[status code=400]]"))
        heard = await hear(model, interaction("Hello [[echo]]"))

    assert isinstance(refused.error, errors.GeminiRejected)
    assert heard.text == "Hello"


@pytest.mark.parametrize("code", [500, 503, 504])
async def test_a_server_error_is_tried_again_before_the_first_piece(
    local_gemini: str, code: int
) -> None:
    word = mark()
    asked = interaction(f"{word} [[status code={code} times=1 key={word}]]")

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(model, asked)

    assert heard.text == answer(word)
    assert len(await requests_with(local_gemini, word)) == 2


async def test_nothing_but_our_own_retries_is_made(local_gemini: str) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=0) as model:
        heard = await hear(model, interaction(f"{word} [[status code=503]]"))

    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert len(await requests_with(local_gemini, word)) == 1


@pytest.mark.parametrize("directive", ["[[reset]]", "[[error_mid after=0 code=503]]"])
async def test_what_fails_before_the_first_word_is_tried_again_twice_and_no_more(
    local_gemini: str, directive: str
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(model, interaction(f"{word} {directive}"))

    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert len(await requests_with(local_gemini, word)) == 3


async def test_the_wait_that_a_full_quota_asks_for_is_kept(local_gemini: str) -> None:
    word = mark()
    asked = interaction(f"{word} [[status code=429 retry_s=1 times=1 key={word}]]")
    started_s = time.monotonic()

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(model, asked)

    assert heard.text == answer(word)
    assert time.monotonic() - started_s >= 1.0
    assert len(await requests_with(local_gemini, word)) == 2


async def test_a_wait_beyond_the_first_text_deadline_is_told_at_once(
    local_gemini: str,
) -> None:
    word = mark()

    async with model_at(
        local_gemini, max_retries=2, first_text_deadline_s=5.0
    ) as model:
        asked = interaction(f"{word} [[status code=429 retry_s=7]]")
        heard = await hear(model, asked)

    assert isinstance(heard.error, errors.GeminiBusy)
    assert heard.error.retry_after_s == 7.0
    assert len(await requests_with(local_gemini, word)) == 1


async def test_a_server_that_is_away_is_unavailable() -> None:
    async with model_at(f"http://127.0.0.1:{free_port()}", max_retries=1) as model:
        heard = await hear(model, interaction("Hello"))
        with pytest.raises(errors.GeminiUnavailable):
            await model.delete_interaction("v1_a")

    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert heard.error.reason == "connect"


async def test_outages_of_both_apis_open_one_circuit(local_gemini: str) -> None:
    word = mark()

    async with model_at(local_gemini, breaker_failures=2, breaker_open_s=9) as model:
        await hear(model, f"{word} [[status code=503]]")
        await hear(model, interaction(f"{word} [[status code=503]]"))
        refused = await hear(model, interaction(f"{word} Hello"))

    assert isinstance(refused.error, errors.CircuitOpen)
    assert len(await requests_with(local_gemini, word)) == 2


async def test_without_a_key_nothing_is_tried() -> None:
    async with model_at("http://127.0.0.1:9", api_key="") as model:
        heard = await hear(model, interaction("Hello"))

    assert isinstance(heard.error, errors.GeminiRefused)


async def test_a_wrong_key_is_the_operators_business(local_gemini: str) -> None:
    async with model_at(local_gemini, api_key="wrong-key") as model:
        heard = await hear(model, interaction("Hello", previous_interaction_id="v1_a"))

    assert isinstance(heard.error, errors.GeminiRefused)
    assert heard.error.reason == "wrong_key"


@pytest.mark.parametrize("status", ["503 Unavailable", "404 Not Found", "400 Bad"])
async def test_an_error_names_the_key_neither_to_people_nor_in_the_log(
    status: str, caplog: pytest.LogCaptureFixture
) -> None:
    words = b'{"error": {"code": "x", "message": "key=AIzaSyTheVerySecretKey failed"}}'
    length = f"Content-Length: {len(words)}"
    played = reply(status, words, "application/json", length)

    async with (
        playing(played) as upstream,
        model_at(upstream.url, api_key="AIzaSyTheVerySecretKey") as model,
    ):
        heard = await hear(model, interaction("Hello", previous_interaction_id="v1_a"))

    assert heard.error is not None
    assert "failed" in heard.error.upstream
    assert "Secret" not in heard.error.upstream + heard.error.detail + caplog.text
    assert heard.error.__cause__ is None
