"""A web process is told to end before it can serve: it does, and never serves."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle_site.launcher.claims import free_port
from tests import servers

_CONFIG = """
import os
import signal
from oracle_site.gunicorn_conf import *

workers = 1

def {hook}:
    try:
        with open({told!r}, "x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return  # only the first is told
    os.kill(os.getpid(), signal.{name})
"""


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        ("post_fork(arbiter, worker)", "SIGTERM"),
        ("post_worker_init(worker)", "SIGTERM"),
        ("post_worker_init(worker)", "SIGQUIT"),
    ],
)
def test_a_process_that_is_told_to_end_while_it_starts_makes_way(
    hardy_site: servers.Site, tmp_path: Path, hook: str, name: str
) -> None:
    told = tmp_path / "told"
    config = tmp_path / "conf.py"
    config.write_text(_CONFIG.format(hook=hook, name=name, told=str(told)))

    with _beside(hardy_site, config) as site:
        servers.wait_until_healthy(site)

        assert int(told.read_text()) not in site.worker_pids()


@contextlib.contextmanager
def _beside(other: servers.Site, config: Path) -> Iterator[servers.Site]:
    """Run web processes of this configuration on the data of a site."""
    port = free_port()
    program = str(Path(sys.executable).with_name("gunicorn"))
    with (config.parent / "web.log").open("ab") as log:
        master = subprocess.Popen(
            [program, "-c", str(config), "oracle_site.asgi:application"],
            cwd=servers.ROOT,
            env=other.env | {"PORT": str(port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield servers.Site(f"http://127.0.0.1:{port}", config.parent, other.env, master)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(master.pid, signal.SIGKILL)
        master.wait(10)
