"""Which process makes an answer, and whether it still lives."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from chat import processes


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


def _identity(pid: int, *, started: float | None = None, host: str = "") -> str:
    own_host = processes.me().rsplit(":", 2)[0]
    at = psutil.Process(pid).create_time() if started is None else started
    return f"{host or own_host}:{pid}:{at:.2f}"


def test_a_process_is_known_by_host_pid_and_start() -> None:
    host, pid, started = processes.me().rsplit(":", 2)

    assert int(pid) == os.getpid()
    assert float(started) == pytest.approx(psutil.Process().create_time(), abs=0.01)
    assert ":" not in host
    assert processes.me() == processes.me()


def test_a_living_process_is_not_dead(child: subprocess.Popen[bytes]) -> None:
    assert not processes.is_known_dead(processes.me())
    assert not processes.is_known_dead(_identity(child.pid))


def test_a_process_is_dead_as_soon_as_it_is_killed(
    child: subprocess.Popen[bytes],
) -> None:
    identity = _identity(child.pid)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert processes.is_known_dead(identity)
    child.wait()
    assert processes.is_known_dead(identity)


def test_a_pid_that_was_used_again_is_another_process(
    child: subprocess.Popen[bytes],
) -> None:
    assert processes.is_known_dead(_identity(child.pid, started=1.0))


def test_nothing_is_known_of_another_host(child: subprocess.Popen[bytes]) -> None:
    identity = _identity(child.pid, host="some-other-host")
    child.kill()
    child.wait()

    assert not processes.is_known_dead(identity)


def test_an_identity_fits_its_column() -> None:
    from chat.models import Generation

    longest = Generation._meta.get_field("process").max_length or 0
    assert len(processes.me()) <= longest
