"""Harm: treatment must not be worse than control, whenever and however often asked."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from flags.evidence import harm
from flags.evidence.fisher import Counts
from flags.evidence.harm import Budget, Design
from flags.gates import words
from flags.gates.counts import Pair, at_risk
from flags.gates.knowledge import Knowledge
from flags.plans import Action, Harm, Plan
from flags.readings import Kind, Reading, Verdict

_NOBODY = Counts(
    treatment_count=0, treatment_failed=0, control_count=0, control_failed=0
)
# What the counted conversations did, by event.
_DEEDS = {
    "error": "failed",
    "slow": "were slow",
    "blank": "got an empty or blocked answer",
    "costly": "were costly",
    "disliked": "were disliked",
}


def design(plan: Plan, gate: Harm) -> Design:
    """Return how a gate looks for harm, the same over the whole ramp."""
    return _design(_windows(plan), len(plan.phases), gate.margin)


def _windows(plan: Plan) -> int:
    dwell_s = sum(phase.dwell_s for phase in plan.phases)
    return max(1, round(dwell_s / plan.window_s))


@lru_cache(maxsize=64)
def _design(windows: int, starts: int, margin: float) -> Design:
    budget = Budget(planned_windows=windows, planned_starts=starts)
    # A wide margin leaves out the odds ratios within it.
    ratios = tuple(r for r in Design(budget=budget).odds_ratios if r > margin)
    return Design(
        budget=budget, odds_ratios=ratios or (2 * margin, 8 * margin), margin=margin
    )


def step(
    knowledge: Knowledge, plan: Plan, pair: Pair, *, starts_phase: bool
) -> Knowledge:
    """Add a window to what every harm gate knows.

    Once for each window, in order. A later correction of one is not added: what has
    been acted on stays as it was seen.
    """
    states, counted = dict(knowledge.harms), dict(knowledge.counted)
    if starts_phase:
        counted.clear()
    windows, starts = _windows(plan), len(plan.phases)
    for gate in plan.harms:
        counts = at_risk(gate.event, pair)
        how = _design(windows, starts, gate.margin)
        states[gate.key] = harm.step(
            states.get(gate.key) or harm.begin(how),
            counts,
            design=how,
            starts_phase=starts_phase,
        )
        counted[gate.key] = _sum(counted.get(gate.key, _NOBODY), counts)
    return replace(knowledge, harms=states, counted=counted)


def answered(knowledge: Knowledge, plan: Plan) -> Knowledge:
    """Forget the evidence of harm that has led to a halving.

    Else it would halve again and again, however well things went since. What was spent
    stays spent, so α holds.
    """
    states = dict(knowledge.harms)
    for gate in plan.harms:
        if gate.action is Action.HALVE and gate.key in states:
            now, new = states[gate.key], harm.begin(design(plan, gate))
            states[gate.key] = replace(
                new, peak=now.peak, windows=now.windows, starts=now.starts
            )
    return replace(knowledge, harms=states)


def has_data(knowledge: Knowledge, gate: Harm) -> bool:
    """Tell whether both arms were seen in this phase, so that there is a comparison."""
    counts = knowledge.counted.get(gate.key, _NOBODY)
    return bool(counts.treatment_count and counts.control_count)


def readings(knowledge: Knowledge, plan: Plan) -> list[Reading]:
    """Return each harm gate's word, in the plan's order."""
    return [_reading(knowledge, plan, gate) for gate in plan.harms]


def _reading(knowledge: Knowledge, plan: Plan, gate: Harm) -> Reading:
    state = knowledge.harms.get(gate.key)
    counts = knowledge.counted.get(gate.key, _NOBODY)
    evidence = _evidence(state, gate)
    verdict = _verdict(evidence, counts, gate)
    return Reading(
        key=gate.key,
        kind=Kind.HARM,
        verdict=verdict,
        sentence=_sentence(verdict, evidence, counts, gate, plan),
        action=gate.action,
        numbers=_numbers(state, counts, gate),
    )


def _evidence(state: harm.State | None, gate: Harm) -> float:
    """Return what a gate is judged by.

    Who takes the feature back for good acts on the most evidence there ever was; what
    is milder ends when the evidence is gone.
    """
    if state is None:
        return 0.0
    return state.peak if gate.action is Action.ROLL_BACK else state.evidence


def _verdict(evidence: float, counts: Counts, gate: Harm) -> Verdict:
    if evidence >= 1 / gate.alpha:
        return Verdict.FAIL
    if not (counts.treatment_count and counts.control_count):
        return Verdict.NO_DATA
    return Verdict.PASS


def _sentence(
    verdict: Verdict, evidence: float, counts: Counts, gate: Harm, plan: Plan
) -> str:
    if verdict is Verdict.NO_DATA:
        arm = "control" if counts.treatment_count else "treatment"
        what = "was rated" if gate.event == "disliked" else "was active"
        return f"No conversation of {arm} {what} in this phase yet."
    found = (
        f"{words.count(counts.treatment_failed)} of "
        f"{words.count(counts.treatment_count)} treatment conversations "
        f"{_DEEDS.get(gate.event, gate.event)}, {words.count(counts.control_failed)} "
        f"of {words.count(counts.control_count)} in control, counted every "
        f"{plan.window_s} s"
    )
    gathered, proof = words.evidence(evidence), words.evidence(1 / gate.alpha)
    if verdict is Verdict.FAIL:
        return f"{found}: evidence {gathered}, and {proof} proves harm."
    return f"No harm seen: {found}; evidence {gathered}, and {proof} would prove it."


def _numbers(
    state: harm.State | None, counts: Counts, gate: Harm
) -> Mapping[str, float | None]:
    """Return what it was judged by; counts and rates are of this phase."""
    rate_t = _rate(counts.treatment_failed, counts.treatment_count)
    rate_c = _rate(counts.control_failed, counts.control_count)
    evidence, peak = (state.evidence, state.peak) if state else (0.0, 0.0)
    return {
        "n_t": counts.treatment_count,
        "n_c": counts.control_count,
        "failed_t": counts.treatment_failed,
        "failed_c": counts.control_failed,
        "rate_t": rate_t,
        "rate_c": rate_c,
        "ratio": rate_t / rate_c if rate_t is not None and rate_c else None,
        "evidence": evidence,
        "peak": peak,
        "threshold": 1 / gate.alpha,
        "alpha": gate.alpha,
        "log10_evidence": math.log10(evidence) if evidence else None,
        "log10_threshold": -math.log10(gate.alpha),
    }


def _rate(failed: int, count: int) -> float | None:
    return failed / count if count else None


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        treatment_count=one.treatment_count + other.treatment_count,
        treatment_failed=one.treatment_failed + other.treatment_failed,
        control_count=one.control_count + other.control_count,
        control_failed=one.control_failed + other.control_failed,
    )
