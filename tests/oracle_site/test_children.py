"""The launcher's processes, tried on small shell commands."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from oracle_site.launcher.children import Child, Children, read_procfile
from oracle_site.launcher.errors import ChildEnded

_STUBBORN = """sh -c "trap '' TERM; echo ready; while true; do sleep 0.1; done" """


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    started = Children(folder=tmp_path, logs=tmp_path / "logs")
    yield started
    started.kill()


def _wait_for(child: Child, words: str) -> None:
    deadline = time.monotonic() + 10
    while not child.log.exists() or words not in child.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _wait_for_end(child: Child) -> None:
    deadline = time.monotonic() + 10
    while not child.has_ended():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_procfile_is_names_and_commands(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("# a comment\nweb: serve --port $PORT\n\njobs:  work: hard\n")

    commands = read_procfile(path)

    assert commands == {"web": "serve --port $PORT", "jobs": "work: hard"}


def test_what_a_process_says_is_printed_and_kept(
    children: Children, capsys: pytest.CaptureFixture[str]
) -> None:
    child = children.start("web", "echo $WORDS", os.environ | {"WORDS": "over here"})
    child.process.wait()
    child.reader.join()

    assert child.log.read_text() == "over here\n"
    assert "web     | over here\n" in capsys.readouterr().out


def test_an_ended_process_is_named_with_its_exit_code(children: Children) -> None:
    child = children.start("worker", "sh -c 'exit 3'", os.environ)
    child.process.wait()

    with pytest.raises(ChildEnded, match=r"worker ended with exit code 3.*worker\.log"):
        children.require_all()


@pytest.mark.parametrize(
    ("command", "code"), [("sh -c 'exit 3'", 3), ("sh -c 'kill -KILL $$'", -9)]
)
def test_the_number_of_an_ended_process_is_nobody_elses_until_its_group_is_killed(
    children: Children, command: str, code: int
) -> None:
    child = children.start("worker", command, os.environ)
    _wait_for_end(child)

    with pytest.raises(ChildEnded):
        children.require_all()
    child.send(signal.SIGTERM)

    assert child.exit_code() == code
    assert psutil.Process(child.process.pid).status() == psutil.STATUS_ZOMBIE
    children.stop(last="model", patience_s=1)
    assert not psutil.pid_exists(child.process.pid)
    assert child.exit_code() == code


def test_a_process_that_is_gone_is_not_killed_again(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    children.start("worker", "sleep 600", os.environ)
    children.stop(last="model", patience_s=5)
    killed: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, _: killed.append(group))

    children.kill()

    assert killed == []


def test_the_last_one_ends_after_the_others(children: Children) -> None:
    model = children.start(
        "model",
        'sh -c \'trap "date +%s%N; exit" TERM; '
        "echo ready; while true; do sleep 0.05; done'",
        os.environ,
    )
    web = children.start(
        "web",
        'sh -c \'trap "sleep 0.3; date +%s%N; exit" TERM; '
        "echo ready; while true; do sleep 0.05; done'",
        os.environ,
    )
    _wait_for(model, "ready")
    _wait_for(web, "ready")

    children.stop(last="model", patience_s=10)

    ended_at = {c.name: int(c.log.read_text().split()[-1]) for c in (model, web)}
    assert ended_at["web"] < ended_at["model"]


def test_a_stubborn_process_is_killed_when_patience_ends(children: Children) -> None:
    child = children.start("web", _STUBBORN, os.environ)
    _wait_for(child, "ready")

    children.stop(last="model", patience_s=0.3)

    assert child.process.returncode == -signal.SIGKILL


def test_what_a_process_leaves_behind_is_killed_with_it(children: Children) -> None:
    child = children.start("worker", "sh -c 'sleep 600 & echo $!'", os.environ)
    _wait_for(child, "\n")
    orphan = psutil.Process(int(child.log.read_text()))
    _wait_for_end(child)

    children.stop(last="model", patience_s=1)

    psutil.wait_procs([orphan], timeout=5)
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE


def test_killing_waits_for_nobody(children: Children) -> None:
    child = children.start("web", _STUBBORN, os.environ)
    _wait_for(child, "ready")

    children.kill()

    assert child.process.wait(timeout=5) == -signal.SIGKILL
    child.reader.join()
