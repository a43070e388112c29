"""What the gates learn of a rollout, window after window."""

from collections.abc import Iterable
from dataclasses import replace

from flags.gates import harms, integrity
from flags.gates.counts import Pair
from flags.gates.knowledge import Knowledge
from flags.plans import Plan


def step(knowledge: Knowledge, plan: Plan, pair: Pair) -> Knowledge:
    """Add one window; each once, oldest first.

    One in which nobody could get the feature teaches nothing. A phase starts with its
    first window, and a lower percent starts the evidence for lowering it anew.
    """
    if not pair.percent:
        return knowledge
    starts_phase = pair.phase_index != knowledge.phase_index
    before = 0 if starts_phase else knowledge.unit_count
    if knowledge.split and float(pair.percent) / 100 < knowledge.split.share:
        knowledge = harms.answered(knowledge, plan)
    learnt = harms.step(knowledge, plan, pair, starts_phase=starts_phase)
    learnt = integrity.step(learnt, pair)
    return replace(
        learnt,
        phase_index=pair.phase_index,
        unit_count=before + max(0, pair.treatment.assigned_count),
    )


def of(
    pairs: Iterable[Pair], plan: Plan, *, before: Knowledge | None = None
) -> Knowledge:
    """Return what windows teach, oldest first; a whole ramp, unless some is known."""
    knowledge = before or Knowledge()
    for pair in pairs:
        knowledge = step(knowledge, plan, pair)
    return knowledge
