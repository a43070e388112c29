"""What live sessions weigh, and whether many of them make a turn slower."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from benchmarks.figures import Figure, Section, ratio
from benchmarks.rounds import Samples
from tests import servers

_MANY = 10_000
_TRACED = 500
_COUNTS = (10, 1_000, _MANY)
_ROUNDS = 9
_GOAL_KB = 40
_GOAL_MB = 400
# The noise of a busy machine; a search through all would make it a thousand.
_GOAL_RATIO = 1.2
_ACQUIRE = "acquire"
_STEPS = {
    "find": "find it in memory",
    _ACQUIRE: "acquire it for a turn, with all queries",
    "renew": "renew its registration",
    "register": "register a new one",
}


def measure(data_dir: Path) -> Section:
    """Weigh sessions and time the steps of a turn, in processes of their own."""
    return Section(
        "Live sessions of 20 messages × 400 characters in one process",
        [*_weights(), *_times(data_dir)],
        [
            "Times are those of a step alone, without the commit that follows. Finding "
            "a session is one look into a dict, and a part of acquiring it.",
            "A character beyond Latin takes Python 2 bytes instead of 1, an emoji in a "
            "message makes each of its characters 4.",
        ],
    )


def _weights() -> list[Figure]:
    plain = _weighed("--sessions", str(_TRACED), "--trace")
    wide = _weighed(
        "--sessions", str(_TRACED), "--trace", "--end", "\N{SLIGHTLY SMILING FACE}"
    )
    many = _weighed("--sessions", str(_MANY))
    return [
        Figure(
            "memory of one",
            "KB",
            (plain["allocated_bytes"] / _TRACED / 1000,),
            goal=_GOAL_KB,
        ),
        Figure(
            "memory of one, an emoji in each message",
            "KB",
            (wide["allocated_bytes"] / _TRACED / 1000,),
        ),
        Figure(
            f"growth of the process by {_MANY:,}",
            "MB",
            (many["rss_growth_bytes"] / 1e6,),
            goal=_GOAL_MB,
        ),
    ]


def _weighed(*options: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.session_weights", *options],
        cwd=servers.ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    weights: dict[str, int] = json.loads(done.stdout)
    return weights


def _times(data_dir: Path) -> list[Figure]:
    samples = Samples()
    with contextlib.ExitStack() as stack:
        holders = {
            count: stack.enter_context(_holder(data_dir / str(count), count))
            for count in _COUNTS
        }
        for holder in holders.values():
            _read_line(holder)
        for _ in range(_ROUNDS):
            for count, holder in holders.items():
                for step, time_us in _measured(holder).items():
                    samples.add(step, str(count), time_us)
    return [figure for step in _STEPS for figure in _step(samples, step)]


def _step(samples: Samples, step: str) -> Iterator[Figure]:
    few, *more = (samples.of(step, str(count)) for count in _COUNTS)
    name = _STEPS[step]
    yield Figure(f"{name}, {_COUNTS[0]} sessions", "µs", few)
    for count, times in zip(_COUNTS[1:], more, strict=True):
        yield Figure(f"{name}, {count:,} sessions", "µs", times)
        yield Figure(
            f"{name}, {count:,} ÷ {_COUNTS[0]} sessions",
            "×",
            ratio(times, few),
            goal=_GOAL_RATIO if step == _ACQUIRE else None,
        )


@contextlib.contextmanager
def _holder(data_dir: Path, count: int) -> Iterator[subprocess.Popen[str]]:
    """Run a process that holds so many sessions on a database of its own."""
    data_dir.mkdir(parents=True)
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "oracle_site.settings",
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(data_dir),
        "MAX_PERSISTENT_SESSIONS": str(2 * _MANY),
    }
    servers.manage(env, "migrate", "--verbosity", "0")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "benchmarks.session_acquire"),
            *("--sessions", str(count)),
        ],
        cwd=servers.ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _measured(holder: subprocess.Popen[str]) -> dict[str, float]:
    stdin = holder.stdin
    assert stdin is not None
    stdin.write("\n")
    stdin.flush()
    times: dict[str, float] = json.loads(_read_line(holder))
    return times


def _read_line(holder: subprocess.Popen[str]) -> str:
    stdout: IO[Any] | None = holder.stdout
    assert stdout is not None
    line: str = stdout.readline()
    return line
