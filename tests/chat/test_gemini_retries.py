"""What the model tries again, and when it is left alone; over a real socket."""

import random
import time

import pytest

from chat import errors
from chat.local_gemini.prose import answer
from oracle_site.launcher.claims import free_port
from tests.chat.gemini_calls import hear, mark, model_at, requests_with


@pytest.fixture(autouse=True)
def _shortest_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance always chooses the lower end."""
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)


@pytest.mark.parametrize("code", [500, 503, 504])
async def test_a_server_error_is_tried_again_before_the_first_piece(
    local_gemini: str, code: int
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(model, f"{word} [[status code={code} times=1 key={word}]]")

    assert heard.text == answer(word)
    assert len(await requests_with(local_gemini, word)) == 2


async def test_a_connection_reset_is_tried_again_twice_and_no_more(
    local_gemini: str,
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(model, f"{word} [[reset]]")

    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert heard.error.reason == "reset"
    assert len(await requests_with(local_gemini, word)) == 3


async def test_an_error_object_before_the_first_piece_is_tried_again(
    local_gemini: str,
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=1) as model:
        heard = await hear(model, f"{word} [[error_mid after=0 code=503]]")

    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert len(await requests_with(local_gemini, word)) == 2


async def test_the_wait_that_a_full_quota_asks_for_is_kept(local_gemini: str) -> None:
    word = mark()
    started_s = time.monotonic()

    async with model_at(local_gemini, max_retries=2) as model:
        heard = await hear(
            model, f"{word} [[status code=429 retry_s=1 times=1 key={word}]]"
        )

    assert heard.text == answer(word)
    assert time.monotonic() - started_s >= 1.0
    assert len(await requests_with(local_gemini, word)) == 2


async def test_a_wait_beyond_the_first_text_deadline_is_told_at_once(
    local_gemini: str,
) -> None:
    word = mark()
    started_s = time.monotonic()

    async with model_at(
        local_gemini, max_retries=2, first_text_deadline_s=5.0
    ) as model:
        heard = await hear(model, f"{word} [[status code=429 retry_s=7]]")

    assert isinstance(heard.error, errors.GeminiBusy)
    assert heard.error.retry_after_s == 7.0
    assert heard.error.status == 429
    assert "7 s" in heard.error.detail
    assert time.monotonic() - started_s < 5.0
    assert len(await requests_with(local_gemini, word)) == 1


async def test_a_server_that_is_away_is_unavailable_after_three_tries() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    async with model_at(url, max_retries=2) as model:
        heard = await hear(model, "Hello")

    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert heard.error.reason == "connect"


async def test_outages_in_a_row_open_the_circuit(local_gemini: str) -> None:
    word = mark()

    async with model_at(local_gemini, breaker_failures=3, breaker_open_s=9) as model:
        for _ in range(3):
            await hear(model, f"{word} [[status code=503]]")
        refused = await hear(model, f"{word} Hello")

        assert model.describe().breaker == "open"
        assert not model.available()
    assert isinstance(refused.error, errors.CircuitOpen)
    assert refused.error.retry_after_s is not None
    assert 0 < refused.error.retry_after_s <= 9
    assert len(await requests_with(local_gemini, word)) == 3


async def test_a_good_probe_closes_the_circuit(local_gemini: str) -> None:
    async with model_at(local_gemini, breaker_failures=1, breaker_open_s=0) as model:
        await hear(model, "Hello [[status code=503]]")
        before = model.describe().breaker
        heard = await hear(model, "Hello")
        after = model.describe().breaker

    assert heard.completion.finish_reason == "STOP"
    assert (before, after) == ("half_open", "closed")


async def test_a_circuit_that_opens_ends_the_tries_with_their_own_error(
    local_gemini: str,
) -> None:
    word = mark()

    async with model_at(local_gemini, max_retries=2, breaker_failures=2) as model:
        heard = await hear(model, f"{word} [[status code=503]]")

    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert len(await requests_with(local_gemini, word)) == 2


@pytest.mark.parametrize("directive", ["[[status code=429]]", "[[status code=400]]"])
async def test_a_refusal_is_no_outage(local_gemini: str, directive: str) -> None:
    async with model_at(local_gemini, breaker_failures=2) as model:
        for _ in range(4):
            await hear(model, f"Hello {directive}")

        assert model.breaker.state == "closed"


async def test_a_model_that_hangs_is_an_outage(local_gemini: str) -> None:
    async with model_at(
        local_gemini, breaker_failures=2, first_text_deadline_s=0.1
    ) as model:
        for _ in range(2):
            await hear(model, "Hello [[hang]]")

        assert model.breaker.state == "open"
