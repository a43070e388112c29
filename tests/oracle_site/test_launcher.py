"""`make run` as a person meets it: real processes, a real port, a real Ctrl-C."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from oracle_site.launcher import claims
from oracle_site.launcher.claims import free_port
from tests import clients, servers
from tests.servers import ROOT

_PATIENCE_S = 100.0


class Run:
    """A launcher on a data folder of its own."""

    def __init__(self, data_dir: Path, port: int, **settings: str) -> None:
        self.port = port
        self.data_dir = data_dir
        self.output = data_dir.parent / f"{data_dir.name}-{port}.txt"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "oracle_site.launcher"],
                cwd=ROOT,
                env=_environment(data_dir) | {"PORT": str(port)} | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_until_said(self, words: str) -> None:
        _until(lambda: words in self.said() or self.process.poll() is not None)
        assert words in self.said(), self.said()

    def database(self) -> Path:
        return self.data_dir / "oracle.sqlite3"

    def wait_for_end(self) -> int:
        return self.process.wait(_PATIENCE_S)

    def ctrl_c(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


Start = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    runs: list[Run] = []
    groups: list[psutil.Process] = []

    def start_one(data: str = "data", **settings: str) -> Run:
        runs.append(Run(tmp_path / data, free_port(), **settings))
        return runs[-1]

    yield start_one
    for run in runs:
        with contextlib.suppress(psutil.NoSuchProcess):
            groups += run.descendants()
        run.process.kill()
        run.process.wait()
    for process in groups:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _environment(data_dir: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME")}
    return inherited | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(data_dir),
        "LOCAL_GEMINI_BRAIN": "scripted",
        "WEB_WORKERS": "1",
    }


def _until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.05)


def _living(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [each for each in processes if _lives(each)]


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):  # it may end between the two
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _ask(run: Run, message: str) -> None:
    """Open a conversation, say something, and leave once the answer has begun."""
    with (
        clients.Api(f"http://127.0.0.1:{run.port}") as api,
        api.stream(api.begin(title="A question"), message) as answer,
    ):
        next(answer)


def _last_answer(run: Run) -> tuple[str, int]:
    """Return the state and the number of words of the newest answer."""
    with contextlib.closing(sqlite3.connect(run.database())) as database:
        status, content = database.execute(
            "SELECT status, content FROM chat_message "
            "WHERE role = 'assistant' ORDER BY id DESC LIMIT 1"
        ).fetchone()
    return status, len(content.split())


def test_it_says_who_answers_and_one_ctrl_c_ends_every_process(start: Start) -> None:
    run = start()
    run.wait_until_said("is ready")
    with urllib.request.urlopen(f"http://127.0.0.1:{run.port}/health") as response:
        health = json.load(response)
    processes = run.descendants()

    run.ctrl_c()

    assert run.wait_for_end() == 0
    assert _living(processes) == []
    assert len(processes) >= 4
    assert health["services"]["database"] == "connected"
    assert "the scripted stand-in: fixed answers, no model at all" in run.said()


def test_a_shell_beside_it_finds_the_model_until_it_ends(start: Start) -> None:
    run = start()
    run.wait_until_said("is ready")
    beside = _environment(run.data_dir)

    during = servers.exit_of(beside, "health", "--json").text
    run.process.kill()
    run.wait_for_end()
    after = servers.exit_of(beside, "health", "--json").text

    model = json.loads(during)["checks"]["model"]
    assert (model["status"], model["sentence"]) == (
        "healthy",
        "It is not known to be in trouble.",
    )
    assert (
        "GEMINI_API_KEY is not set" in json.loads(after)["checks"]["model"]["sentence"]
    )


def test_the_administrator_is_made_once(start: Start) -> None:
    first = start()
    first.wait_until_said("Starting")
    first.process.terminate()
    first.wait_for_end()

    second = start()
    second.wait_until_said("Starting")

    assert re.search(r"user admin, password \S{16}\n", first.said())
    assert "password" not in second.said()


def test_a_running_answer_is_finished_before_the_end(start: Start) -> None:
    run = start()
    run.wait_until_said("is ready")
    _ask(run, "[[say words=20 delay_ms=100]]")

    run.ctrl_c()

    assert run.wait_for_end() == 0
    assert _last_answer(run) == ("complete", 20)


def test_a_second_ctrl_c_does_not_wait_for_a_running_answer(start: Start) -> None:
    run = start()
    run.wait_until_said("is ready")
    _ask(run, "[[drip delay_ms=500 words=1000]]")
    processes = run.descendants()

    run.ctrl_c()
    run.wait_until_said("Stopping")
    time.sleep(1)
    is_waiting = run.process.poll() is None
    run.ctrl_c()
    asked_at = time.monotonic()
    code = run.wait_for_end()

    assert is_waiting
    assert code == 0
    assert time.monotonic() - asked_at < 5
    assert _living(processes) == []


def test_a_process_that_dies_takes_the_others_down_and_is_named(start: Start) -> None:
    run = start()
    run.wait_until_said("is ready")
    processes = run.descendants()

    next(p for p in processes if "gunicorn" in " ".join(p.cmdline())).kill()

    assert run.wait_for_end() == 1
    assert "web was killed by signal 9" in run.said()
    assert "logs/web.log" in run.said()
    assert _living(processes) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's parent-death signal")
def test_a_killed_launcher_leaves_no_process(start: Start) -> None:
    run = start()
    run.wait_until_said("is ready")
    processes = run.descendants()

    run.process.kill()
    _until(lambda: not _living(processes))

    assert _living(processes) == []


def test_a_taken_port_is_said_in_one_line_with_its_holder(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = start(PORT=str(port))

        code = run.wait_for_end()

    assert code == 1
    assert f"Port {port} is taken by process {os.getpid()} (" in run.said()
    assert re.search(r"PORT=\d+ make run\n", run.said())
    assert "Traceback" not in run.said()


def test_two_runs_never_share_a_data_folder(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()

    with claims.data_folder(folder, port=8123):
        run = start()
        code = run.wait_for_end()

    assert code == 1
    assert f"process {os.getpid()}, port 8123" in run.said()
    assert "ORACLE_DATA_DIR=/another/folder" in run.said()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT='eighty': expected a whole number from 1 to 65535."),
        ("WEB_WORKERS", "0", "WEB_WORKERS='0': expected a whole number from 1 to 64."),
        ("LOCAL_GEMINI_BRAIN", "gpt", "LOCAL_GEMINI_BRAIN='gpt': expected one of"),
        ("DEBUG", "perhaps", "DEBUG='perhaps': expected true or false."),
        ("ORACLE_DATA_DIR", "/dev/null/data", "ORACLE_DATA_DIR must name a folder"),
        ("DATABASE_URL", "postgres://127.0.0.1:1/x", "The database is not ready"),
    ],
)
def test_a_bad_setting_is_one_sentence(
    start: Start, name: str, value: str, sentence: str
) -> None:
    run = start(**{name: value})

    assert run.wait_for_end() == 1
    assert sentence in run.said()
    assert "Traceback" not in run.said()


def test_ctrl_c_works_while_it_is_starting(start: Start) -> None:
    run = start()
    run.wait_until_said("Starting")
    _until(lambda: bool(run.descendants()))
    processes = run.descendants()

    run.ctrl_c()

    assert run.wait_for_end() == 0
    assert _living(processes) == []
