"""The server as a process: starting, options, control, stopping."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chat.local_gemini.scripted import answer
from tests import servers

from .plain import call, connect, dial, says

GENERATE = "/v1/models/gemini-x:generateContent"
STREAM = "/v1/models/gemini-x:streamGenerateContent?alt=sse"


@contextmanager
def process(*command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command and kill it at the end."""
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=servers.ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def address(running: subprocess.Popen[str]) -> str:
    """Return the base URL that the process printed."""
    assert running.stdout is not None
    line = running.stdout.readline()
    assert re.fullmatch(
        r"local gemini \(scripted\) listening on http://127\.0\.0\.1:\d+\n", line
    )
    return line.split()[-1]


def text_of(url: str, prompt: str) -> str:
    """Ask the server and return the text of its answer."""
    _, body, _ = call("POST", url + GENERATE, says(prompt))
    text: str = body["candidates"][0]["content"]["parts"][0]["text"]
    return text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_a_second_even_while_it_streams(number: int) -> None:
    with process("-m", "chat.local_gemini") as running:
        url = address(running)
        with connect(url, STREAM, says("[[drip delay_ms=10]]")) as connection:
            connection.recv(1)
            started = time.monotonic()
            running.send_signal(number)
            status = running.wait(5)

        assert time.monotonic() - started < 1
        assert status == 0


def test_it_ends_when_its_parent_is_gone() -> None:
    with (
        subprocess.Popen(["sleep", "60"]) as parent,
        process("-m", "chat.local_gemini", "--parent-pid", str(parent.pid)) as child,
    ):
        address(child)
        parent.kill()
        parent.wait()

        assert child.wait(5) == 0


def test_the_django_command_runs_the_same_server() -> None:
    with process("manage.py", "local_gemini", "--words", "3") as running:
        assert text_of(address(running), "Hi") == answer("Hi", words=3)


def test_options_come_from_the_environment_too() -> None:
    environment = {"LOCAL_GEMINI_WORDS": "4", "LOCAL_GEMINI_IMPLICIT_CACHE": "false"}
    with process("-m", "chat.local_gemini", **environment) as running:
        url = address(running)

        first = call("POST", url + GENERATE, says("Same"))[1]
        second = call("POST", url + GENERATE, says("Same"))[1]

    assert second["candidates"][0]["content"]["parts"] == [
        {"text": answer("Same", words=4)}
    ]
    assert second["usageMetadata"] == first["usageMetadata"]


def test_only_the_required_key_is_let_in() -> None:
    with servers.local_gemini("--require-key", "sesame") as url:
        missing = call("GET", f"{url}/v1/models")
        wrong = call("GET", f"{url}/v1/models", x_goog_api_key="open")
        right = call("GET", f"{url}/v1/models", x_goog_api_key="sesame")

    assert (missing[0], wrong[0], right[0]) == (403, 400, 200)


def test_cached_tokens_below_the_minimum_are_not_reported() -> None:
    with servers.local_gemini("--cache-min-tokens", "3") as url:
        for prompt, cached in [("a b", None), ("a b", None), ("a b c d", None)]:
            usage = call("POST", url + GENERATE, says(prompt))[1]["usageMetadata"]
            assert usage.get("cachedContentTokenCount") == cached
        usage = call("POST", url + GENERATE, says("a b c d"))[1]["usageMetadata"]

    assert usage["cachedContentTokenCount"] == 4


def test_cached_tokens_are_whole_blocks() -> None:
    with servers.local_gemini("--cache-block-tokens", "2") as url:
        for prompt, cached in [("a b c", None), ("a b c", 2), ("a d", None)]:
            usage = call("POST", url + GENERATE, says(prompt))[1]["usageMetadata"]
            assert usage.get("cachedContentTokenCount") == cached


def test_a_default_directive_holds_for_each_nth_plain_request() -> None:
    with servers.local_gemini(
        "--directive", "[[status code=503]]", "--every", "3"
    ) as url:
        codes = [call("POST", url + GENERATE, says("Hi"))[0] for _ in range(6)]
        own = call("POST", url + GENERATE, says("[[status code=404]]"))[0]

    assert codes == [200, 200, 503, 200, 200, 503]
    assert own == 404


def test_a_default_directive_may_spare_those_who_paste_a_conversation() -> None:
    turns = ("user", "model", "user")
    one_by_one = {"contents": [{"role": r, "parts": [{"text": "Hi"}]} for r in turns]}
    with servers.local_gemini(
        *("--directive", "[[status code=503]]", "--every", "2", "--min-turns", "2")
    ) as url:
        pasted = [call("POST", url + GENERATE, says("Hi"))[0] for _ in range(3)]
        single = [call("POST", url + GENERATE, one_by_one)[0] for _ in range(4)]

    assert pasted == [200, 200, 200]
    assert single == [200, 503, 200, 503]


def test_defaults_are_changed_and_reset_while_it_runs() -> None:
    with servers.local_gemini() as url:
        changed = call("PUT", f"{url}/_local/defaults", {"words": 5, "first_ms": 1})
        short = text_of(url, "Hi")
        wrong = call("PUT", f"{url}/_local/defaults", {"words": "many"})
        unknown = call("PUT", f"{url}/_local/defaults", {"wrods": 5})
        call("DELETE", f"{url}/_local/defaults")
        long = text_of(url, "Hi")

    assert (changed[0], changed[1]["words"]) == (200, 5)
    assert (wrong[0], unknown[0]) == (400, 400)
    assert short == answer("Hi", words=5)
    assert long == answer("Hi")


def test_health_says_who_answers(server: str) -> None:
    status, body, _ = call("GET", f"{server}/_local/health")

    assert status == 200
    assert body == {
        "brain": "scripted",
        "model": "scripted (local)",
        "ready": True,
        "queued": 0,
        "running": 0,
    }


def test_health_counts_the_running_answers() -> None:
    with servers.local_gemini() as url:
        with connect(url, STREAM, says("[[drip delay_ms=10]]")) as connection:
            connection.recv(1)
            during = call("GET", f"{url}/_local/health")[1]["running"]
        deadline = time.monotonic() + 5
        while call("GET", f"{url}/_local/health")[1]["running"]:
            assert time.monotonic() < deadline

    assert during == 1


def test_the_journal_can_be_read_from_a_request_on_and_cleared() -> None:
    with servers.local_gemini() as url:
        for prompt in ("one", "two", "three"):
            text_of(url, prompt)
        entries = call("GET", f"{url}/_local/requests?since=1")[1]
        call("DELETE", f"{url}/_local/requests")
        emptied = call("GET", f"{url}/_local/requests")[1]

    assert [entry["id"] for entry in entries] == [2, 3]
    assert emptied == []


def test_requests_on_one_connection_are_answered_in_turn(server: str) -> None:
    body = b'{"contents":[{"parts":[{"text":"Hi"}]}]}'
    request = (
        f"POST {GENERATE} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    with dial(server) as connection:
        connection.sendall(request + request)
        received = b""
        while received.count(b'"STOP"') < 2:
            received += connection.recv(65536)

    assert received.count(b"HTTP/1.1 200 OK") == 2


def test_what_is_no_http_is_refused(server: str) -> None:
    with dial(server) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")

        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_a_client_may_ask_before_it_sends_its_body(server: str) -> None:
    with dial(server) as connection:
        connection.sendall(
            f"POST {GENERATE} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            "Content-Length: 2\r\n\r\n".encode()
        )

        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")


def test_the_answer_to_a_head_request_has_no_body(server: str) -> None:
    with dial(server) as connection:
        connection.sendall(
            b"HEAD /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        received = b""
        while part := connection.recv(65536):
            received += part

    assert received.startswith(b"HTTP/1.1 405 ")
    assert received.endswith(b"\r\n\r\n")
