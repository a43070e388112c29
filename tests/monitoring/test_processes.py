"""Whether a process that holds something still lives."""

import os
import subprocess
import sys

import pytest

from monitoring import processes
from tests.servers import ROOT


@pytest.fixture
def child() -> "subprocess.Popen[str]":
    """A process that says who it is and waits for its input to end."""
    code = (
        "import sys; from monitoring import processes\n"
        "print(processes.me(), flush=True); sys.stdin.read()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_process_is_alive_until_it_ends(child: "subprocess.Popen[str]") -> None:
    with child:
        assert child.stdout is not None
        identity = child.stdout.readline().strip()
        assert not processes.is_known_dead(identity)

        child.kill()
        child.wait()

    assert processes.is_known_dead(identity)


def test_a_process_that_nobody_has_waited_for_is_dead(
    child: "subprocess.Popen[str]",
) -> None:
    with child:
        assert child.stdout is not None
        identity = child.stdout.readline().strip()

        child.kill()
        # Its pipe closes a moment before it is a zombie; this waits and leaves it one.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert processes.is_known_dead(identity)


def test_this_process_is_alive_and_a_reused_pid_is_another() -> None:
    place, pid, start = processes.me().rsplit(":", 2)

    assert not processes.is_known_dead(processes.me())
    assert processes.is_known_dead(f"{place}:{pid}:{int(start) - 1}")


def test_a_process_of_another_host_or_boot_is_never_known_to_be_dead() -> None:
    assert not processes.is_known_dead("elsewhere:boot-1:999999999:1")


_WITHOUT_DESCRIPTORS = """
import os, resource, sys
from monitoring import processes
processes.me()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        os.dup(0)
except OSError:
    print(processes.is_known_dead(sys.argv[1]))
"""


def test_who_has_no_file_descriptor_left_calls_nobody_dead(
    child: "subprocess.Popen[str]",
) -> None:
    with child:
        assert child.stdout is not None
        identity = child.stdout.readline().strip()
        asked = subprocess.run(
            [sys.executable, "-c", _WITHOUT_DESCRIPTORS, identity],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        child.kill()

    assert asked.stdout == "False\n"
