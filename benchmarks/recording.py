"""Is recording as quick over a large store? `python -m benchmarks.recording`.

Two stores with the same traffic, 2,000 turns in the last day, but one has 10,000
messages and the other 1,000,000. Each round one run of the job that records the last
minutes is timed in both, in a process of its own; no server runs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import django

from benchmarks import monitoring
from benchmarks.contenders import Contender
from benchmarks.figures import Figure, ratio, table
from benchmarks.rounds import Samples
from tests import servers

_STORES = {"10,000": 10_000, "1,000,000": 1_000_000}
_RATIO_GOAL = 1.5
# The job runs once a minute: so much of one core is 3 % of it.
_CPU_GOAL_MS = 1800.0
_REPEATS = 7


def main() -> None:
    """Fill both stores, time the job in them in turn, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.within:
        print(json.dumps(_timed()))
        return
    figures = run(given.rounds)
    if given.json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        print(table(figures))


def run(rounds: int) -> list[Figure]:
    """Measure both stores in turn, so that whatever else runs slows down both."""
    samples = Samples()
    with tempfile.TemporaryDirectory() as folder:
        stores = {name: _store(Path(folder) / name, n) for name, n in _STORES.items()}
        for _ in range(rounds):
            for name, env in stores.items():
                for measure, ms in _in_its_own_process(env).items():
                    samples.add(measure, name, ms)
    few, many = _STORES
    wall = {name: samples.of("wall_ms", name) for name in _STORES}
    cpu = {name: samples.of("cpu_ms", name) for name in _STORES}
    return [
        *(Figure(f"one run at {name}", "ms", ms) for name, ms in wall.items()),
        *(
            Figure(f"CPU of one run at {name}", "ms", ms, _CPU_GOAL_MS)
            for name, ms in cpu.items()
        ),
        Figure(f"{many} ÷ {few}", "×", ratio(wall[many], wall[few]), goal=_RATIO_GOAL),
    ]


def _store(data_dir: Path, messages: int) -> dict[str, str]:
    """Fill a database; return the settings of a process that works on it."""
    data_dir.mkdir()
    env = os.environ | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(data_dir),
        "DJANGO_SETTINGS_MODULE": "oracle_site.settings",
    }
    servers.manage(env, "migrate", "--verbosity", "0")
    monitoring.fill(Contender("store", "", 0, data_dir), messages)
    return env


def _in_its_own_process(env: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.recording", "--within"],
        cwd=servers.ROOT,
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    times: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return times


def _timed() -> dict[str, float]:
    """Catch up, then record the last minutes anew; return the quickest of several."""
    django.setup()
    from django.utils import timezone

    from monitoring.history import recording
    from monitoring.history.state import State
    from monitoring.models import Point

    now = timezone.now()
    while recording.record(now) or State.read().until != now.replace(microsecond=0):
        pass
    times: list[tuple[float, float]] = []
    for _ in range(_REPEATS):
        Point.objects.filter(begin__gte=now - timedelta(minutes=15)).delete()
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        recording.record(now)
        times.append((time.perf_counter() - wall_s, time.process_time() - cpu_s))
    wall, cpu = (min(each) for each in zip(*times, strict=True))
    return {"wall_ms": wall * 1000, "cpu_ms": cpu * 1000}


if __name__ == "__main__":
    main()
