"""The check that calls out: only by its tag, in words, and without the key."""

import asyncio
import os
import subprocess
import sys
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

from chat import checks
from oracle_site.launcher.claims import free_port
from tests.chat.peers import Handler, serving, silence
from tests.servers import ROOT

_KEY = "AIzaSy-a-secret-key-of-somebody"


@contextmanager
def _server(handler: Handler) -> Iterator[str]:
    """Serve in a thread, since the check has an event loop of its own."""
    started, ended = threading.Event(), asyncio.Event()
    found: list[tuple[asyncio.AbstractEventLoop, int]] = []

    async def serve() -> None:
        async with serving(handler) as port:
            found.append((asyncio.get_running_loop(), port))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(10)
    loop, port = found[0]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


def _answering(status: str, body: str, kind: str = "application/json") -> Handler:
    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await writer.drain()
        await reader.read()

    return answer


def _found(settings: Settings, url: str, *, key: str = _KEY) -> list[CheckMessage]:
    settings.GEMINI_API_KEY = key
    settings.GEMINI_BASE_URL = url
    settings.GEMINI_API_VERSION = "v1beta"
    return checks.reachable()


def test_a_model_that_is_there(settings: Settings, local_gemini: str) -> None:
    assert _found(settings, local_gemini) == []


def test_a_model_that_is_not_there(settings: Settings, local_gemini: str) -> None:
    settings.GEMINI_MODEL = "claude"

    [found] = _found(settings, local_gemini)

    assert found.id == "chat.E002"
    assert "no model 'claude'" in found.msg


def test_a_server_that_is_away(settings: Settings) -> None:
    url = f"http://somebody:secret@127.0.0.1:{free_port()}/path"

    [found] = _found(settings, url)

    assert found.id == "chat.W001"
    assert found.msg.startswith("Cannot reach Gemini API endpoint http://127.0.0.1:")
    assert found.hint
    assert "secret@" not in found.msg


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("503 Unavailable", '{"error": {"code": 503, "message": "Away."}}', "json"),
        ("200 OK", "<html>Sign in to the network</html>", "html"),
    ],
)
def test_a_server_that_is_no_help(
    settings: Settings, status: str, body: str, kind: str
) -> None:
    with _server(_answering(status, body, f"application/{kind}")) as url:
        [found] = _found(settings, url)

    assert found.id == "chat.W001"


def test_a_server_that_says_nothing_is_not_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.reachability.TIMEOUT_S", 0.2)

    with _server(silence) as url:
        [found] = _found(settings, url)

    assert found.id == "chat.W001"
    assert "look_up_deadline" in found.msg


def test_a_wrong_key_is_an_error_that_does_not_repeat_it(settings: Settings) -> None:
    body = (
        '{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": '
        f'"API key {_KEY} not valid. Please pass a valid API key.", "details": '
        '[{"@type": "type.googleapis.com/google.rpc.ErrorInfo", '
        '"reason": "API_KEY_INVALID"}]}}'
    )

    with _server(_answering("400 Bad Request", body)) as url:
        [found] = _found(settings, url)

    assert found.id == "chat.E001"
    assert _KEY not in f"{found.msg}{found.hint}"


def test_a_missing_key_is_an_error(settings: Settings) -> None:
    [found] = _found(settings, "", key="")

    assert found.id == "chat.E001"


@pytest.mark.django_db
def test_it_is_not_run_unless_it_is_registered() -> None:
    with checks.registered():
        pass

    plain = run_checks(include_deployment_checks=True)

    assert not [each for each in plain if (each.id or "").startswith("chat.")]


def _check(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "check", *words],
        cwd=ROOT,
        env=os.environ
        | {
            "GEMINI_API_KEY": _KEY,
            "GEMINI_BASE_URL": f"http://127.0.0.1:{free_port()}",
        },
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_command_runs_it_by_its_tag_only() -> None:
    asked = _check("--tag", "gemini")
    plain = _check()
    listed = _check("--list-tags")

    assert (
        "(chat.W001) Cannot reach Gemini API endpoint http://127.0.0.1" in asked.stderr
    )
    assert _KEY not in asked.stderr
    assert "chat.W001" not in plain.stderr
    assert "gemini" in listed.stdout.split()
