"""Real processes for tests: the scripted local Gemini and the whole web server."""

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psutil

from oracle_site.launcher.claims import free_port

ROOT = Path(__file__).resolve().parent.parent
_START_S = 60.0
_PAUSE_S = 0.05
_DATABASE = "oracle.sqlite3"


@dataclass
class Site:
    """A running web server and where its data is."""

    url: str
    data_dir: Path
    env: dict[str, str]
    master: subprocess.Popen[bytes] = field(repr=False)

    def worker_pids(self) -> list[int]:
        """Return the web processes that live now."""
        return [child.pid for child in psutil.Process(self.master.pid).children()]

    def log(self) -> str:
        """Return what the server has said so far."""
        return (self.data_dir / "web.log").read_text(encoding="utf-8")

    def manage(self, *arguments: str) -> str:
        """Run a management command on this site's data; return what it printed."""
        return manage(self.env, *arguments)


# Of this process, now: what they have said belongs to the report of a failed test.
running_sites: list[Site] = []


@dataclass(frozen=True, slots=True)
class Exit:
    """How a command ended, and what it printed."""

    code: int
    text: str


def exit_of(env: dict[str, str], *arguments: str) -> Exit:
    """Run `manage.py` with this environment, however it ends."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    return Exit(done.returncode, done.stdout)


def manage(env: dict[str, str], *arguments: str) -> str:
    """Run `manage.py` with this environment; return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@contextlib.contextmanager
def local_gemini(*options: str) -> Iterator[str]:
    """Run the scripted local Gemini on a free port; yield its base URL."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "chat.local_gemini"),
            *("--brain", "scripted", "--port", "0"),
            *("--parent-pid", str(os.getpid())),
            *options,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@contextlib.contextmanager
def site(
    data_dir: Path, *, gemini_url: str, workers: int = 2, **settings: str
) -> Iterator[Site]:
    """Run the web server on a fresh database; yield it when it answers."""
    port = free_port()
    env = os.environ | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(data_dir),
        "PORT": str(port),
        "WEB_WORKERS": str(workers),
        "GEMINI_API_KEY": "local",
        "GEMINI_BASE_URL": gemini_url,
        "GEMINI_API_VERSION": "v1beta",
        "LOCAL_GEMINI_BRAIN": "scripted",
        "RATE_LIMIT_MESSAGES_PER_MINUTE": "100000",
        "RATE_LIMIT_ADDRESS_PER_MINUTE": "100000",
        **settings,
    }
    data_dir.mkdir(parents=True, exist_ok=True)
    if env.get("DATABASE_URL"):
        manage(env, "migrate", "--verbosity", "0")
    elif not (data_dir / _DATABASE).exists():
        shutil.copy(_migrated(tuple(sorted(settings.items()))), data_dir / _DATABASE)
    shutil.copytree(_static_files(), data_dir / "static", dirs_exist_ok=True)
    with (data_dir / "web.log").open("ab") as log:
        master = subprocess.Popen(
            [
                *(Path(sys.executable).with_name("gunicorn"), "-c"),
                *("oracle_site/gunicorn_conf.py", "oracle_site.asgi:application"),
            ],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    running = Site(f"http://127.0.0.1:{port}", data_dir, env, master)
    running_sites.append(running)
    try:
        wait_until_healthy(running)
        yield running
    finally:
        running_sites.remove(running)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(master.pid, signal.SIGKILL)
        master.wait(10)


@cache
def _migrated(settings: tuple[tuple[str, str], ...]) -> Path:
    """Make a database once; every site of this process with these settings has it.

    Of other settings it holds other first values.
    """
    env = _own_folder() | dict(settings)
    manage(env, "migrate", "--verbosity", "0")
    return Path(env["ORACLE_DATA_DIR"]) / _DATABASE


@cache
def _static_files() -> Path:
    """Collect the static files once; every site of this process has the same."""
    env = _own_folder()
    manage(env, "collectstatic", "--noinput", "--verbosity", "0")
    return Path(env["ORACLE_DATA_DIR"]) / "static"


def _own_folder() -> dict[str, str]:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return os.environ | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(folder),
    }


def wait_until_healthy(running: Site) -> None:
    """Return when the site answers; fail with its log when it does not."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and running.master.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{running.url}/health", timeout=5),
        ):
            return
        time.sleep(_PAUSE_S)
    raise AssertionError(f"The site did not start:\n{running.log()}")


@contextlib.contextmanager
def worker(running: Site) -> Iterator[subprocess.Popen[bytes]]:
    """Run the site's background worker with its beat, as the Procfile does."""
    with (running.data_dir / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-q", "-A", "oracle_site.celery"),
                *("worker", "-B", "-c", "2", "--without-gossip", "--without-mingle"),
            ],
            cwd=ROOT,
            env=running.env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
