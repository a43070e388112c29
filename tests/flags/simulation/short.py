"""A ramp of a day, and worlds for it."""

from dataclasses import replace
from decimal import Decimal

from flags import plans
from flags.plans import HOUR_S, Phase, Plan
from flags.simulation.world import Fault, World, synthetic

HITS, ERRORS = plans.GUIDE.phases[1].success[1], plans.GUIDE.phases[1].success[0]


def phase(percent: int, hours: int, unit_count: int) -> Phase:
    return Phase(
        percent=Decimal(percent),
        dwell_s=hours * HOUR_S,
        unit_count=unit_count,
        success=(HITS, ERRORS),
    )


DAY: Plan = replace(
    plans.GUIDE,
    name="day",
    phases=(phase(10, 8, 1000), phase(50, 8, 2000), phase(100, 8, 4000)),
    max_extension_s=4 * HOUR_S,
)


def world(*faults: str, per_hour: float = 2000) -> World:
    """Return a world with the harm that is written so, and no trouble of its own."""
    bare = synthetic(per_hour=per_hour, swing=0.2, trouble=())
    return bare.with_faults([Fault.of(text) for text in faults])
