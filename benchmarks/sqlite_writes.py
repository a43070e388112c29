"""Eight processes write turns into one SQLite file: is any ever locked out?

`python -m benchmarks.sqlite_writes` compares the product's settings with Django's own.
One turn is two writes, each durable: its opening and its ending.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, percentile, table
from tests import servers

_UNLIMITED = "100000000"


@dataclass(frozen=True, slots=True)
class Setup:
    """A way to set SQLite up."""

    name: str
    settings_module: str
    journal: str
    turns: int


@dataclass(frozen=True, slots=True)
class Writes:
    """All writes of a run; times in ms."""

    durable_ms: list[float]
    locked_ms: list[float]
    seconds: float


def main() -> None:
    """Run both setups and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--turns", type=int, default=5000, help="of each process")
    parser.add_argument("--stock-turns", type=int, default=25, help="0: leave it out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    ours = Setup("product", "oracle_site.settings", "wal", given.turns)
    stock = Setup("stock", "benchmarks.stock_sqlite", "delete", given.stock_turns)
    figures = _figures(ours, run(ours, processes=given.processes), is_judged=True)
    if given.stock_turns:
        writes = run(stock, processes=given.processes)
        figures += _figures(stock, writes, is_judged=False)
    if given.json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        print(table(figures))


def run(setup: Setup, *, processes: int) -> Writes:
    """Let the processes begin together and wait for the last."""
    with tempfile.TemporaryDirectory() as data_dir:
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": setup.settings_module,
            "ORACLE_ENV_FILE": os.devnull,
            "ORACLE_DATA_DIR": str(Path(data_dir)),
            "RATE_LIMIT_MESSAGES_PER_MINUTE": _UNLIMITED,
            "RATE_LIMIT_ADDRESS_PER_MINUTE": _UNLIMITED,
        }
        servers.manage(env, "migrate", "--verbosity", "0")
        prepare = ["--prepare", str(processes), "--journal", setup.journal]
        conversations = json.loads(_started(env, *prepare).communicate()[0])
        writers = [
            _started(env, "--conversation", str(each), "--turns", str(setup.turns))
            for each in conversations
        ]
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        started_at = time.monotonic()
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("\n")
            writer.stdin.flush()
        seen = [json.loads(writer.communicate()[0]) for writer in writers]
        return Writes(
            durable_ms=[time_ms for each in seen for time_ms in each["durable"]],
            locked_ms=[time_ms for each in seen for time_ms in each["locked"]],
            seconds=time.monotonic() - started_at,
        )


def _started(env: dict[str, str], *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sqlite_writer", *options],
        cwd=servers.ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a warning for each locked write
        text=True,
    )


def _figures(setup: Setup, writes: Writes, *, is_judged: bool) -> list[Figure]:
    times, tried = writes.durable_ms, len(writes.durable_ms) + len(writes.locked_ms)
    locked = len(writes.locked_ms)
    return [
        Figure(f"{setup.name}: writes", "", (tried,)),
        Figure(
            f"{setup.name}: database is locked", "", (locked,), 0 if is_judged else None
        ),
        Figure(f"{setup.name}: durable writes/s", "", (len(times) / writes.seconds,)),
        Figure(f"{setup.name}: p50", "ms", (percentile(times, 50),)),
        Figure(
            f"{setup.name}: p99",
            "ms",
            (percentile(times, 99),),
            250 if is_judged else None,
        ),
        Figure(
            f"{setup.name}: longest",
            "ms",
            (max([*times, *writes.locked_ms], default=float("nan")),),
        ),
    ]


if __name__ == "__main__":
    main()
