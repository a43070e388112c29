"""What the gates said when something was decided: kept, worked out again, or near it.

Few decisions keep it in full (`flags.decisions`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from flags import decisions, gathering, judging, replaying
from flags.gates import words
from flags.models import Decision, Rollout
from flags.plans import Plan
from flags.readings import Reading


@dataclass(frozen=True, slots=True)
class Recalled:
    """Readings. `note` says of which decision they are, where it is an earlier one."""

    readings: Sequence[Reading]
    note: str = ""


def kept(decision: Decision) -> Recalled:
    """Return its readings, or the last ones before it that were kept."""
    keeper = decisions.keeper(decision)
    if keeper is None:
        return Recalled([])
    readings = [Reading.from_json(each) for each in keeper.readings]
    if keeper.number == decision.number:
        return Recalled(readings)
    before = words.span((decision.at - keeper.at).total_seconds())
    return Recalled(
        readings,
        f"Readings of decision {keeper.number}, {before} before: the verdicts were the "
        f"same, only the figures may differ.",
    )


def exact(decision: Decision) -> Recalled:
    """Return its readings, worked out from all windows up to it where not kept.

    That takes up to some seconds in a long rollout.
    """
    return _checked(decision, partial(replaying.readings_at, decision))


def newest(rollout: Rollout, decision: Decision) -> Recalled:
    """Return the readings of the newest tick, from what the row has learnt by it."""

    def worked_out() -> list[Reading]:
        knowledge, _ = gathering.known(rollout)
        bare = replaying.situation_of(decision, Plan.of(rollout.plan.body))
        return judging.readings(bare, knowledge, replaying.seen_by(decision))

    return _checked(decision, worked_out)


def _checked(decision: Decision, work_out: Callable[[], list[Reading]]) -> Recalled:
    """Return what is worked out if it is what was said, else what was kept before."""
    if decision.readings or not replaying.is_tick(decision):
        return kept(decision)
    try:
        readings = work_out()
    except ValueError:  # another release's plan
        return kept(decision)
    said = decisions.digest([each.as_json() for each in readings])
    is_same = said == decision.inputs["readings"]["sha256"]
    return Recalled(readings) if is_same else kept(decision)
