"""Measure a turn against its peers in the same run: `python -m benchmarks.turn`.

All answers come from the scripted local Gemini. Ratios are what counts: absolute
figures are those of the machine, and of whatever else runs on it.
"""

import argparse
import contextlib
import json
import tempfile
from pathlib import Path

from benchmarks import growth, rounds
from benchmarks.contenders import peer, product
from benchmarks.figures import Figure, ratio, table
from benchmarks.rounds import Effort, Samples
from tests import servers

_PRODUCT = "product"
_FAIR = "fastapi fair"
_THREADS = "fastapi threads"
_FLOOR = "sdk 1"


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each measure")
    parser.add_argument("--concurrency", type=int, default=50, help="callers at once")
    parser.add_argument(
        "--growth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="compare large with small tables too (a minute)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    effort = Effort(given.rounds, given.seconds, given.concurrency)
    figures = run(effort, has_growth=given.growth)
    if given.json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        print(table(figures))


def run(effort: Effort, *, has_growth: bool) -> list[Figure]:
    """Start the servers, measure them in turn, stop them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.ExitStack() as stack,
    ):
        data_dir = Path(folder)
        url = stack.enter_context(servers.local_gemini())
        with contextlib.ExitStack() as started:
            contenders = [
                started.enter_context(product(data_dir / "product", gemini_url=url)),
                started.enter_context(peer("fair", data_dir / "fair", gemini_url=url)),
                started.enter_context(
                    peer("threads", data_dir / "threads", gemini_url=url)
                ),
            ]
            samples = rounds.measure(contenders, gemini_url=url, effort=effort)
        figures = [
            *_turns(samples),
            *_streams(samples, f"sdk {effort.concurrency}"),
            *_cost(samples),
        ]
        if has_growth:
            figures += growth.measure(data_dir, gemini_url=url)
        return figures


def _turns(samples: Samples) -> list[Figure]:
    ours = samples.of("turns_per_s", _PRODUCT)
    return [
        *(
            Figure(f"turns/s, {name}", "", samples.of("turns_per_s", name))
            for name in (_PRODUCT, _FAIR, _THREADS)
        ),
        Figure(
            "turns/s, product ÷ fastapi fair",
            "×",
            ratio(ours, samples.of("turns_per_s", _FAIR)),
            goal=3,
            better="higher",
        ),
        Figure(
            "turns/s, product ÷ fastapi threads",
            "×",
            ratio(ours, samples.of("turns_per_s", _THREADS)),
        ),
        *(
            Figure(f"CPU of a turn, {name}", "ms", samples.of("turn_cpu_ms", name))
            for name in (_PRODUCT, _FAIR, _THREADS)
        ),
    ]


def _streams(samples: Samples, loaded_floor: str) -> list[Figure]:
    ours = _added(samples, "first_p50_ms", _PRODUCT)
    return [
        *(
            Figure(f"first text p50, {name}", "ms", samples.of("first_p50_ms", name))
            for name in (_FLOOR, loaded_floor)
        ),
        Figure("added first text p50, product", "ms", ours, goal=60),
        *(
            Figure(
                f"added first text p50, {name}",
                "ms",
                _added(samples, "first_p50_ms", name),
            )
            for name in (_FAIR, _THREADS)
        ),
        Figure(
            "added first text p50, product ÷ fastapi fair",
            "×",
            ratio(ours, _added(samples, "first_p50_ms", _FAIR)),
            goal=0.25,
        ),
        *(
            Figure(
                f"added first text p95, {name}",
                "ms",
                _added(samples, "first_p95_ms", name),
            )
            for name in (_PRODUCT, _FAIR, _THREADS)
        ),
    ]


def _added(samples: Samples, measure: str, name: str) -> tuple[float, ...]:
    """Return what a server adds to a single direct call of the same round."""
    floor = samples.of(measure, _FLOOR)
    return tuple(
        value - least
        for value, least in zip(samples.of(measure, name), floor, strict=True)
    )


def _cost(samples: Samples) -> list[Figure]:
    streamed = "CPU of a streamed turn"
    names = (_PRODUCT, _FAIR, _THREADS)
    return [
        Figure(
            f"{streamed}, {_PRODUCT}",
            "ms",
            samples.of("stream_cpu_ms", _PRODUCT),
            goal=8,
        ),
        *(
            Figure(f"{streamed}, {name}", "ms", samples.of("stream_cpu_ms", name))
            for name in (_FAIR, _THREADS)
        ),
        Figure(f"memory, {_PRODUCT}", "MB", samples.of("rss_mb", _PRODUCT), goal=180),
        *(
            Figure(f"memory, {name}", "MB", samples.of("rss_mb", name))
            for name in (_FAIR, _THREADS)
        ),
        *(
            Figure(f"failed turns, {name}", "", samples.of("errors", name), goal=0)
            for name in names
        ),
        *(
            Figure(
                f"CPU of the load client, {name}",
                "cores",
                samples.of("client_cpu", name),
            )
            for name in names
        ),
    ]


if __name__ == "__main__":
    main()
