"""The client of the SDK: where it goes, what it keeps, and what it does not trust."""

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from types import SimpleNamespace

import pytest

from chat import connections, errors
from chat.gemini import GeminiModel
from chat.gemini_config import Config, Decoder, State
from tests.chat.gemini_calls import (
    events,
    hear,
    mark,
    model_at,
    playing,
    prompt,
    reply,
    requests_with,
    said,
)
from tests.servers import ROOT

HELLO = events(said("Hello"))


@pytest.fixture
def full_backlog() -> Iterator[str]:
    """The address of a listener that completes no further connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for client in waiting:
            client.close()


@pytest.mark.parametrize("decoder", ["raw", "public"])
async def test_the_environment_cannot_turn_the_client_elsewhere(
    local_gemini: str, decoder: Decoder
) -> None:
    word = mark()
    script = textwrap.dedent("""
        import asyncio, sys
        from chat.gemini import Config, GeminiModel, Prompt, Text

        async def main():
            url, decoder, text = sys.argv[1:]
            config = Config(api_key="the-right-key", base_url=url, decoder=decoder)
            model = GeminiModel(config)
            contents = [{"role": "user", "parts": [{"text": text}]}]
            pieces = [p async for p in model.stream(Prompt("gemini-x", contents))]
            print("".join(p.text for p in pieces if isinstance(p, Text)))
            await model.close()

        asyncio.run(main())
    """)
    trap = "http://127.0.0.1:9"
    environment = os.environ | {
        "GOOGLE_API_KEY": "wrong-key",
        "GEMINI_API_KEY": "wrong-key",
        "GOOGLE_GEMINI_BASE_URL": trap,
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_USE_ENTERPRISE": "true",
        "GOOGLE_GENAI_API_VERSION": "v9",
        "GOOGLE_GENAI_HTTP_CLIENT": "httpx",
        "GOOGLE_CLOUD_PROJECT": "elsewhere",
    }

    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script, local_gemini, decoder, f"{word} [[echo]]"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == word, done.stderr
    [request] = await requests_with(local_gemini, word)
    assert request["path"] == "/v1/models/gemini-x:streamGenerateContent"


def test_importing_the_module_does_not_import_the_sdk() -> None:
    code = "import sys, chat.gemini; print('google.genai' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "False"


async def test_without_a_key_nothing_is_tried() -> None:
    async with model_at("http://127.0.0.1:9", api_key="") as model:
        model.warm()
        heard = await hear(model, "Hello")

        assert not model.available()
        assert model.describe() == State(False, "closed", "raw")
    assert isinstance(heard.error, errors.GeminiRefused)
    assert heard.error.reason == "no_key"


@pytest.mark.parametrize("key", ["“AIza-pasted-with-quotes”", "two\nlines"])
async def test_a_key_that_no_header_can_carry_is_a_wrong_key(key: str) -> None:
    async with model_at("http://127.0.0.1:9", api_key=key) as model:
        heard = await hear(model, "Hello")

    assert isinstance(heard.error, errors.GeminiRefused)
    assert heard.error.reason == "wrong_key"


@pytest.mark.parametrize(
    "name", ["", "x?key=1", "models/../../v1/files", "a/b", "x#", "gemini x", "ü"]
)
async def test_a_model_name_that_would_change_the_address_is_unknown(name: str) -> None:
    asked = replace(prompt("Hello"), model=name)

    async with playing(HELLO) as upstream, model_at(upstream.url) as model:
        heard = await hear(model, asked)

        assert isinstance(heard.error, errors.UnknownModel)
        assert upstream.requests == []


async def test_the_connection_is_kept_for_the_next_turn() -> None:
    async with playing(HELLO) as upstream, model_at(upstream.url) as model:
        model.warm()
        for _ in range(3):
            assert (await hear(model, "Hello")).text == "Hello"

        assert len(upstream.requests) == 3
        assert upstream.connection_count == 1


async def test_a_closed_model_connects_anew() -> None:
    async with playing(HELLO) as upstream, model_at(upstream.url) as model:
        await hear(model, "Hello")
        await model.close()

        assert (await hear(model, "Hello")).text == "Hello"
        assert upstream.connection_count == 2


def test_another_event_loop_gets_connections_of_its_own(local_gemini: str) -> None:
    model = GeminiModel(Config(api_key="key", base_url=local_gemini))

    async def turn() -> str:
        heard = await hear(model, "Hello [[echo]]")
        assert model._connection is not None
        await model._connection.http.aclose()
        return heard.text

    assert [asyncio.run(turn()), asyncio.run(turn())] == ["Hello", "Hello"]


def test_a_forked_child_makes_its_own_client(local_gemini: str) -> None:
    script = textwrap.dedent("""
        import asyncio, os, sys
        from chat.gemini import Config, GeminiModel, Prompt, Text

        model = GeminiModel(Config(api_key="key", base_url=sys.argv[1]))
        model.warm()
        inherited = model._connection
        if os.fork():
            sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))

        async def main():
            contents = [{"role": "user", "parts": [{"text": "[[say words=2]]"}]}]
            pieces = [p async for p in model.stream(Prompt("gemini-x", contents))]
            assert model._connection is not inherited
            assert len(pieces) == 3
            await model.close()

        asyncio.run(main())
    """)

    done = subprocess.run(
        [sys.executable, "-c", script, local_gemini],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


async def test_a_redirect_is_not_followed_with_the_key_in_hand() -> None:
    async with playing(HELLO) as elsewhere:
        moved = reply(
            "307 Temporary Redirect",
            b"",
            "text/plain",
            f"Location: {elsewhere.url}",
            "Content-Length: 0",
        )
        async with playing(moved) as upstream, model_at(upstream.url) as model:
            heard = await hear(model, "Hello")

        assert isinstance(heard.error, errors.GeminiError)
        assert elsewhere.requests == []


async def test_a_connection_that_is_never_made_is_given_up_early(
    full_backlog: str,
) -> None:
    started_s = time.monotonic()

    async with model_at(
        full_backlog, connect_timeout_s=0.2, first_text_deadline_s=20
    ) as model:
        heard = await hear(model, "Hello")

    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert heard.error.reason == "connect"
    assert time.monotonic() - started_s < 10


async def test_an_error_names_the_key_neither_to_people_nor_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = b'{"error": {"code": 503, "message": "key=AIzaSyTheVerySecretKey failed"}}'
    length = f"Content-Length: {len(words)}"
    played = reply("503 Unavailable", words, "application/json", length)

    async with (
        playing(played) as upstream,
        model_at(
            upstream.url, api_key="AIzaSyTheVerySecretKey", max_retries=1
        ) as model,
    ):
        heard = await hear(model, "Hello")

    assert isinstance(heard.error, errors.GeminiUnavailable)
    assert "failed" in heard.error.upstream
    assert "Secret" not in heard.error.upstream + heard.error.detail + caplog.text
    assert "Secret" not in repr(model.config)
    assert heard.error.__cause__ is None


async def test_many_answers_share_a_bounded_pool() -> None:
    async with (
        playing(HELLO) as upstream,
        model_at(upstream.url, max_connections=3) as model,
    ):
        heard = await asyncio.gather(*(hear(model, "Hello") for _ in range(20)))

        assert {one.text for one in heard} == {"Hello"}
        assert upstream.connection_count == 3


async def test_an_abandoned_answer_gives_its_connection_back(local_gemini: str) -> None:
    async with model_at(
        local_gemini, max_connections=1, first_text_deadline_s=10
    ) as model:
        for _ in range(3):
            async with aclosing(model.stream(prompt("[[drip delay_ms=10]]"))) as pieces:
                await anext(pieces)
        heard = await hear(model, "Hello [[echo]]")

    assert heard.text == "Hello"


def test_another_sdk_is_read_in_the_public_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def changed(*, request: object) -> None:
        """An inner method with another signature."""

    api = SimpleNamespace(_build_request=changed, _async_request_once=changed)

    assert not connections.has_raw_transport(SimpleNamespace())
    assert not connections.has_raw_transport(SimpleNamespace(_api_client=api))
    assert "another transport" in caplog.text
