"""Measure what measuring costs: `python -m benchmarks.tracking`.

Two sites of the same code, one with `ENABLE_PERFORMANCE_TRACKING` and one without, are
loaded in turn for short whiles, on-off and then off-on, so that what else the machine
does and what it becomes falls on both. Each round is one ratio. Whether the cost is
under the goal is told by the interval that has the true median with 95 % certainty; CPU
is the steadier of the two measures.
"""

import argparse
import contextlib
import json
import tempfile
from collections.abc import Iterator
from math import comb
from pathlib import Path

from benchmarks import rounds
from benchmarks.contenders import UNLIMITED, Contender
from benchmarks.figures import Figure, Section, ratio
from benchmarks.rounds import Samples
from tests import servers

_ON, _OFF = "tracking on", "tracking off"
_GOAL = 1.03
_DOUBT = 0.05
_WARM_UP_TURNS = 11  # the next prompt holds 20 messages


def main() -> None:
    """Run it and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each measure")
    parser.add_argument("--concurrency", type=int, default=20, help="callers at once")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, servers.local_gemini() as url:
        section = run(
            Path(folder),
            gemini_url=url,
            round_count=given.rounds,
            seconds=given.seconds,
            concurrency=given.concurrency,
        )
    if given.json:
        print(json.dumps(section.as_json(), indent=2))
    else:
        print(section.text())


def run(
    folder: Path,
    *,
    gemini_url: str,
    round_count: int,
    seconds: float,
    concurrency: int,
) -> Section:
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
        options = {
            each.name: [
                *(*callers, "--seconds", str(seconds)),
                *("--sessions", ",".join(map(str, sessions[each.name]))),
            ]
            for each in sites
        }
        for place in range(round_count):
            for each in sites if place % 2 else reversed(sites):
                _measure(samples, each, options[each.name])
    return _section(samples)


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


def _measure(samples: Samples, site: Contender, options: list[str]) -> None:
    before_s = site.cpu_s()
    run = rounds.load(site, rounds.INSTANT, *options)
    cpu_ms = (site.cpu_s() - before_s) * 1000
    samples.add("turns_per_s", site.name, run.turns_per_s)
    samples.add("cpu_ms", site.name, cpu_ms / len(run.total_ms))
    samples.add("errors", site.name, sum(run.errors.values()))


def _section(samples: Samples) -> Section:
    rates = {name: samples.of("turns_per_s", name) for name in (_ON, _OFF)}
    costs = {name: samples.of("cpu_ms", name) for name in (_ON, _OFF)}
    judged = [
        Figure("turns/s, off ÷ on", "×", ratio(rates[_OFF], rates[_ON]), goal=_GOAL),
        Figure(
            "CPU of a turn, on ÷ off", "×", ratio(costs[_ON], costs[_OFF]), goal=_GOAL
        ),
    ]
    failed = {name: samples.of("errors", name) for name in (_ON, _OFF)}
    figures = [
        *(Figure(f"turns/s, {name}", "", rate) for name, rate in rates.items()),
        *(Figure(f"CPU of a turn, {name}", "ms", cost) for name, cost in costs.items()),
        *judged,
        *(Figure(f"failed turns, {name}", "", n, goal=0) for name, n in failed.items()),
    ]
    return Section("What measuring costs", figures, [_verdict(each) for each in judged])


def _verdict(figure: Figure) -> str:
    low, high = _interval(figure.rounds)
    if high <= _GOAL:
        words = "the cost is under the goal"
    elif low > _GOAL:
        words = "the cost is over the goal"
    else:
        words = "more or quieter rounds are needed to tell"
    return f"{figure.name}: {low:.3f} – {high:.3f} with 95 % certainty: {words}."


def _interval(values: tuple[float, ...]) -> tuple[float, float]:
    """Return what the median is between, whatever the distribution.

    Order statistics: each value is above the median with probability one half, so the
    ranks are those of a binomial distribution.
    """
    ordered, count = sorted(values), len(values)
    below, rank = 0.0, 0
    while (below := below + comb(count, rank) / 2**count) <= _DOUBT / 2:
        rank += 1
    place = max(0, rank - 1)
    return ordered[place], ordered[count - 1 - place]


if __name__ == "__main__":
    main()
