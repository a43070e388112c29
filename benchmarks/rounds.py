"""One round after another, each server in turn, so that all share what else goes on."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.contenders import Contender
from benchmarks.figures import percentile
from benchmarks.load import Run
from tests.servers import ROOT

INSTANT = "Tell me more. [[say words=20 chunk_words=20]]"
SLOW = "Tell me more. [[say words=20 delay_ms=20 first_ms=300]]"
_WARM_UP_TURNS = 11  # the next prompt holds 20 messages


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and with how many callers to measure."""

    rounds: int
    seconds: float
    concurrency: int


class Samples:
    """Values by measure and server, one for each round."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, measure: str, name: str, value: float) -> None:
        """Keep the value of one round."""
        self._values[measure, name].append(value)

    def of(self, measure: str, name: str) -> tuple[float, ...]:
        """Return a server's values of all rounds."""
        return tuple(self._values[measure, name])


def measure(
    contenders: Sequence[Contender], *, gemini_url: str, effort: Effort
) -> Samples:
    """Warm each server up, then measure them in turn."""
    samples = Samples()
    sessions = {each.name: _warm_up(each, effort) for each in contenders}
    for _ in range(effort.rounds):
        for each in contenders:
            _measure_instant(samples, each, sessions[each.name], effort)
        for concurrency in (1, effort.concurrency):
            times = direct(gemini_url, concurrency=concurrency, seconds=effort.seconds)
            samples.add("first_p50_ms", f"sdk {concurrency}", percentile(times, 50))
            samples.add("first_p95_ms", f"sdk {concurrency}", percentile(times, 95))
        for each in contenders:
            _measure_slow(samples, each, sessions[each.name], effort)
    return samples


def _warm_up(contender: Contender, effort: Effort) -> list[int]:
    return load(
        contender,
        INSTANT,
        "--turns",
        str(_WARM_UP_TURNS),
        "--concurrency",
        str(effort.concurrency),
    ).sessions


def _measure_instant(
    samples: Samples, contender: Contender, sessions: list[int], effort: Effort
) -> None:
    before_s = contender.cpu_s()
    run = load(contender, INSTANT, *_options(sessions, effort))
    cpu_ms = (contender.cpu_s() - before_s) * 1000
    samples.add("turns_per_s", contender.name, run.turns_per_s)
    samples.add("turn_cpu_ms", contender.name, cpu_ms / len(run.total_ms))
    samples.add("client_cpu", contender.name, run.client_cpu_ratio)
    samples.add("errors", contender.name, sum(run.errors.values()))


def _measure_slow(
    samples: Samples, contender: Contender, sessions: list[int], effort: Effort
) -> None:
    before_s = contender.cpu_s()
    run = load(contender, SLOW, "--stream", *_options(sessions, effort))
    cpu_ms = (contender.cpu_s() - before_s) * 1000
    samples.add("first_p50_ms", contender.name, percentile(run.first_ms, 50))
    samples.add("first_p95_ms", contender.name, percentile(run.first_ms, 95))
    samples.add("stream_cpu_ms", contender.name, cpu_ms / len(run.total_ms))
    samples.add("rss_mb", contender.name, contender.rss_mb())
    samples.add("client_cpu", contender.name, run.client_cpu_ratio)
    samples.add("errors", contender.name, sum(run.errors.values()))


def _options(sessions: list[int], effort: Effort) -> list[str]:
    return [
        *("--sessions", ",".join(map(str, sessions))),
        *("--concurrency", str(effort.concurrency)),
        *("--seconds", str(effort.seconds)),
    ]


def load(contender: Contender, message: str, *options: str) -> Run:
    """Run the load client in a process of its own. Raises: CalledProcessError."""
    arguments = ["benchmarks.load", contender.url, "--message", message, *options]
    run = Run(**json.loads(_run(*arguments)))
    if not run.total_ms:
        raise RuntimeError(f"No turn of {contender.name} succeeded: {run.errors}")
    return run


def direct(base_url: str, *, concurrency: int, seconds: float) -> list[float]:
    """Call the SDK directly in a process of its own; return the first texts in ms."""
    options = ["--concurrency", str(concurrency), "--seconds", str(seconds)]
    arguments = ["benchmarks.direct", base_url, "--message", SLOW, *options]
    times: list[float] = json.loads(_run(*arguments))
    return times


def _run(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
