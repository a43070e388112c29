"""Many ramps, on all processors, with word of how far it is."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from flags.plans import Plan
from flags.simulation.ramps import Ramp, simulate
from flags.simulation.world import World

Progress = Callable[[int, int], None]


def _nobody(done: int, of: int) -> None:
    """Tell nobody."""


def simulated(
    plan: Plan,
    world: World,
    *,
    seeds: Iterable[int],
    processes: int | None = None,
    progress: Progress = _nobody,
) -> list[Ramp]:
    """Return a ramp for each seed, in their order, however many processes there are.

    `progress` hears how many are done of how many. None: a process for each processor.
    """
    wanted = list(seeds)
    count = min(len(wanted), processes or os.cpu_count() or 1)
    run = partial(_simulate, plan, world)
    if count < 2:
        return _collected(map(run, wanted), len(wanted), progress)
    # Nothing of this process may leak into them, least of all its connections.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        return _collected(pool.map(run, wanted), len(wanted), progress)


def _simulate(plan: Plan, world: World, seed: int) -> Ramp:
    return simulate(plan, world, seed=seed)


def _collected(ramps: Iterable[Ramp], of: int, progress: Progress) -> list[Ramp]:
    found: list[Ramp] = []
    progress(0, of)
    for ramp in ramps:
        found.append(ramp)
        progress(len(found), of)
    return found
