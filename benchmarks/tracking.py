"""Measure what measuring costs: `python -m benchmarks.tracking`.

Two sites of the same code are loaded at the same moment, one with
`ENABLE_PERFORMANCE_TRACKING` and one without, so that what else the machine does falls
on both. Each round is one ratio. CPU is the steadier of the two measures.
"""

import argparse
import contextlib
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks import rounds
from benchmarks.contenders import UNLIMITED, Contender
from benchmarks.figures import Figure, ratio, table
from benchmarks.rounds import Samples
from tests import servers

_ON, _OFF = "tracking on", "tracking off"
_GOAL = 1.03
_WARM_UP_TURNS = 11  # the next prompt holds 20 messages


def main() -> None:
    """Run it and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each measure")
    parser.add_argument("--concurrency", type=int, default=20, help="callers at once")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, servers.local_gemini() as url:
        figures = run(
            Path(folder),
            gemini_url=url,
            round_count=given.rounds,
            seconds=given.seconds,
            concurrency=given.concurrency,
        )
    if given.json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        print(table(figures))


def run(
    folder: Path,
    *,
    gemini_url: str,
    round_count: int,
    seconds: float,
    concurrency: int,
) -> list[Figure]:
    """Start both sites, warm them up, measure them in turn."""
    samples = Samples()
    callers = ["--concurrency", str(concurrency)]
    with (
        _site(_ON, folder / "on", gemini_url, is_tracking=True) as tracked,
        _site(_OFF, folder / "off", gemini_url, is_tracking=False) as untracked,
    ):
        sites = [tracked, untracked]
        warm_up = [*callers, "--turns", str(_WARM_UP_TURNS)]
        sessions = {
            each.name: rounds.load(each, rounds.INSTANT, *warm_up).sessions
            for each in sites
        }
        options = [
            [*callers, *_known(sessions[each.name]), "--seconds", str(seconds)]
            for each in sites
        ]
        for _ in range(round_count):
            with ThreadPoolExecutor(len(sites)) as threads:
                list(threads.map(partial(_measure, samples), sites, options))
    return _figures(samples)


@contextlib.contextmanager
def _site(
    name: str, data_dir: Path, gemini_url: str, *, is_tracking: bool
) -> Iterator[Contender]:
    """Run one web process; everybody gets a session, so that all of it is measured."""
    settings = {
        "RATE_LIMIT_MESSAGES_PER_MINUTE": UNLIMITED,
        "RATE_LIMIT_ADDRESS_PER_MINUTE": UNLIMITED,
        "USE_PERSISTENT_SESSIONS": "true",
        "GRADUAL_ROLLOUT_PERCENTAGE": "100",
        "ENABLE_PERFORMANCE_TRACKING": str(is_tracking).lower(),
    }
    with servers.site(data_dir, gemini_url=gemini_url, workers=1, **settings) as site:
        yield Contender(name, site.url, site.master.pid, data_dir)


def _known(sessions: list[int]) -> list[str]:
    return ["--sessions", ",".join(map(str, sessions))]


def _measure(samples: Samples, site: Contender, options: list[str]) -> None:
    before_s = site.cpu_s()
    run = rounds.load(site, rounds.INSTANT, *options)
    cpu_ms = (site.cpu_s() - before_s) * 1000
    samples.add("turns_per_s", site.name, run.turns_per_s)
    samples.add("cpu_ms", site.name, cpu_ms / len(run.total_ms))
    samples.add("errors", site.name, sum(run.errors.values()))


def _figures(samples: Samples) -> list[Figure]:
    rates = {name: samples.of("turns_per_s", name) for name in (_ON, _OFF)}
    costs = {name: samples.of("cpu_ms", name) for name in (_ON, _OFF)}
    return [
        *(Figure(f"turns/s, {name}", "", rate) for name, rate in rates.items()),
        *(Figure(f"CPU of a turn, {name}", "ms", cost) for name, cost in costs.items()),
        Figure("turns/s, off ÷ on", "×", ratio(rates[_OFF], rates[_ON]), goal=_GOAL),
        Figure(
            "CPU of a turn, on ÷ off", "×", ratio(costs[_ON], costs[_OFF]), goal=_GOAL
        ),
        *(
            Figure(f"failed turns, {name}", "", samples.of("errors", name), goal=0)
            for name in (_ON, _OFF)
        ),
    ]


if __name__ == "__main__":
    main()
