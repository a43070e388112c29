"""How often a rollout is taken back for nothing, and how soon for something.

`python -m benchmarks.rollout`: ours beside the rules of others, all on the very same
simulated windows: the guide's ramp with 2,000 conversations of one message an hour,
0.5 % of which fail, traffic that swings over the day, and trouble of the provider.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from random import Random

from benchmarks.figures import Figure, Section, percentile
from benchmarks.ramp_rules import RULES
from flags import plans
from flags.gates import learning
from flags.gates.counts import Drawn
from flags.simulation.summary import Estimate
from flags.simulation.traffic import Traffic
from flags.simulation.world import Fault, World, synthetic

_ERRORS = tuple(gate for gate in plans.GUIDE.harms if gate.event == "error")
_PLAN = replace(plans.GUIDE, harms=_ERRORS)
# By phase (from 0): within how many messages nine of ten tenfold jumps must be found.
_GOALS = {0: 260, 1: 310, 3: 700}
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Found:
    """Treatment's messages until a rule fired, and those that failed; or never."""

    seen: float = _NEVER
    failed: float = _NEVER


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ramps", type=int, default=100, help="healthy ones")
    parser.add_argument("--jumps", type=int, default=100, help="for each phase")
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        seeds = range(given.seed, given.seed + given.ramps)
        healthy = list(pool.map(_false_alarms, seeds))
        seeds = range(given.seed, given.seed + given.jumps)
        jumps = {
            phase: list(pool.map(partial(_jump, phase), seeds)) for phase in _GOALS
        }
    sections = [
        _healthy(healthy),
        *(_detection(phase, found) for phase, found in jumps.items()),
        _replayed(given.seed),
    ]
    if given.json:
        print(json.dumps([section.as_json() for section in sections]))
    else:
        print("\n\n".join(section.text() for section in sections))


def _windows(world: World, seed: int, *, first: int, last: int) -> Iterator[Drawn]:
    """Draw these phases (from 0, the last included) by the clock."""
    traffic = Traffic(_PLAN, world, Random(seed))
    at_s = 0
    for index in range(first, last + 1):
        for _ in range(_PLAN.phases[index].dwell_s // _PLAN.window_s):
            yield traffic.window(
                at_s, percent=_PLAN.percent_of(index), phase_index=index
            )
            at_s += _PLAN.window_s


def _false_alarms(seed: int) -> dict[str, bool]:
    """Tell which rules take a whole healthy ramp back."""
    rules = {name: make(_PLAN) for name, make in RULES.items()}
    fired = dict.fromkeys(RULES, False)
    for window in _windows(synthetic(), seed, first=0, last=len(_PLAN.phases) - 1):
        for name, rule in list(rules.items()):
            if rule.fires(window):
                fired[name] = True
                del rules[name]
    return fired


def _jump(phase: int, seed: int) -> dict[str, Found]:
    """Let treatment fail ten times as often from a phase's start, in steady traffic."""
    percent = _PLAN.percent_of(phase)
    fault = Fault(kind="errors", factor=10, percent=percent)
    world = synthetic(swing=0, trouble=()).with_faults([fault])
    rules = {name: make(_PLAN) for name, make in RULES.items()}
    found = dict.fromkeys(RULES, Found())
    seen = failed = 0
    for window in _windows(world, seed, first=phase, last=phase):
        seen += window.treatment.conversation_count
        failed += window.treatment.error_count
        for name, rule in list(rules.items()):
            if rule.fires(window):
                found[name] = Found(seen, failed)
                del rules[name]
        if not rules:
            break
    return found


def _healthy(ramps: list[dict[str, bool]]) -> Section:
    figures = []
    for name in RULES:
        share = Estimate(sum(ramp[name] for ramp in ramps), len(ramps))
        low, high = share.interval
        goal = 1.5 if name == "ours" else None
        rounds = (100 * low, 100 * share.value, 100 * high)
        figures.append(Figure(name, "%", rounds, goal))
    return Section(
        f"Healthy ramps of nine days that are rolled back ({len(ramps)} ramps)",
        figures,
        ["The range is the 95 % interval of the share."],
    )


def _detection(phase: int, jumps: list[dict[str, Found]]) -> Section:
    figures = []
    for name in RULES:
        found = [jump[name] for jump in jumps]
        seen = _p90([each.seen for each in found])
        goal = float(_GOALS[phase]) if name == "ours" else None
        share = 100 * sum(each.seen < _NEVER for each in found) / len(found)
        figures += [
            Figure(f"{name}: found", "%", (share,)),
            Figure(f"{name}: messages", "(p90)", seen, goal),
            Figure(f"{name}: harmed", "(p90)", _p90([each.failed for each in found])),
        ]
    percent = _PLAN.percent_of(phase)
    return Section(
        f"Errors × 10 in treatment from the start of {percent} % ({len(jumps)} ramps)",
        figures,
        [
            "Treatment's messages, and those that failed, until nine of ten ramps are "
            "taken back; inf: fewer are before the phase is over.",
            "What takes every healthy ramp back is soon here, too: it finds nothing.",
        ],
    )


def _p90(values: list[float]) -> tuple[float, ...]:
    return (percentile(values, 89.999),)


def _replayed(seed: int) -> Section:
    pairs = list(_windows(synthetic(), seed, first=0, last=len(_PLAN.phases) - 1))
    figures = []
    for name, plan in (
        ("the gate of errors", _PLAN),
        (f"all {len(plans.GUIDE.harms)} gates", plans.GUIDE),
    ):
        times = [time.perf_counter()]
        for _ in range(3):
            learning.of(pairs, plan)
            times.append(time.perf_counter())
        rounds = tuple(end - begin for begin, end in pairwise(times))
        figures.append(Figure(name, "s", rounds, 1.0))
    title = f"Nine days replayed ({len(pairs):,} windows of {_PLAN.window_s} s)"
    return Section(title, figures)


if __name__ == "__main__":
    main()
