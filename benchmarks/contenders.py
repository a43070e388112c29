"""The servers that are compared, and what they use of the machine."""

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from oracle_site.launcher.claims import free_port
from tests import servers

PEER_PYTHON = Path(sys.prefix) / "bench" / "bin" / "python"
_START_S = 60.0
UNLIMITED = "100000000"


@dataclass(frozen=True, slots=True)
class Contender:
    """A running server; `pid` is the root of its processes."""

    name: str
    url: str
    pid: int
    data_dir: Path

    def cpu_s(self) -> float:
        """Return the CPU seconds that its processes have used."""
        times = [process.cpu_times() for process in self._processes()]
        return sum(each.user + each.system for each in times)

    def rss_mb(self) -> float:
        """Return the memory of its largest process."""
        return max(each.memory_info().rss for each in self._processes()) / 1e6

    def _processes(self) -> list[psutil.Process]:
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]


@contextlib.contextmanager
def product(data_dir: Path, *, gemini_url: str) -> Iterator[Contender]:
    """Run this project's server: one web process, every message durable."""
    limits = {
        "RATE_LIMIT_MESSAGES_PER_MINUTE": UNLIMITED,
        "RATE_LIMIT_ADDRESS_PER_MINUTE": UNLIMITED,
    }
    with servers.site(data_dir, gemini_url=gemini_url, workers=1, **limits) as site:
        yield Contender("product", site.url, site.master.pid, data_dir)


@contextlib.contextmanager
def peer(shape: str, data_dir: Path, *, gemini_url: str) -> Iterator[Contender]:
    """Run the FastAPI edition in one of its shapes: one process, equally durable."""
    data_dir.mkdir(parents=True)
    port = free_port()
    process = subprocess.Popen(
        [
            *(PEER_PYTHON, "-m", "uvicorn", "--port", str(port)),
            *("--no-access-log", "--log-level", "warning"),
            "benchmarks.peers.fastapi_edition.app:app",
        ],
        cwd=servers.ROOT,
        env=os.environ
        | {
            "PEER_SHAPE": shape,
            "PEER_DATABASE": str(data_dir / "peer.sqlite3"),
            "GEMINI_BASE_URL": gemini_url,
        },
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(url, process)
        yield Contender(f"fastapi {shape}", url, process.pid, data_dir)
    finally:
        process.kill()
        process.wait(10)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError),
            urllib.request.urlopen(f"{url}/health", timeout=5),
        ):
            return
        time.sleep(0.05)
    raise RuntimeError("The peer did not start; `make bench` installs what it needs.")
