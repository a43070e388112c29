"""What a phase will be able to see at the traffic that there is, before it begins."""

import math
from statistics import NormalDist

from flags.gates import harms, words
from flags.plans import HOUR_S, Harm, Plan

POWER = 0.9


def detectable(
    plan: Plan,
    phase_index: int,
    *,
    conversations_per_hour: float,
    base_error_ratio: float,
) -> float | None:
    """Return about the smallest jump of errors that a phase finds, nine times of ten.

    As a factor of the usual share of conversations that fail (0–1), from the phase's
    start. None: not even if all of treatment failed, or nothing usual is known.

    By the mean growth of log evidence and a spread of twice that mean: within a quarter
    of what simulated ramps need. Errors are taken as rare, conversations as alike.
    """
    if not 0 < base_error_ratio < 1:
        return None
    share = float(plan.percent_of(phase_index)) / 100
    hours = plan.phases[phase_index].dwell_s / HOUR_S
    units = conversations_per_hour * hours * share
    needed = needed_evidence(plan)
    high = 1 / base_error_ratio
    if not 0 < share < 1 or units * _growth(high, base_error_ratio, share) < needed:
        return None
    low = 1.0
    while high - low > 1e-3 * low:
        middle = (low + high) / 2
        found = units * _growth(middle, base_error_ratio, share) >= needed
        low, high = (low, middle) if found else (middle, high)
    return max(high, min(harms.design(plan, _errors(plan)).odds_ratios))


def sentence(
    plan: Plan,
    phase_index: int,
    *,
    conversations_per_hour: float,
    base_error_ratio: float,
) -> str:
    """Return the same in words, for who makes a plan."""
    factor = detectable(
        plan,
        phase_index,
        conversations_per_hour=conversations_per_hour,
        base_error_ratio=base_error_ratio,
    )
    traffic = (
        f"At {words.count(conversations_per_hour)} conversations an hour, of which "
        f"{words.share(base_error_ratio)} fail, phase {phase_index + 1}"
    )
    if factor is None:
        return f"{traffic} can't see any jump of errors before it is over."
    times = words.count(factor) if factor >= 10 else f"{factor:.2g}"
    return f"{traffic} sees errors become {times} times as many, and not fewer."


def needed_evidence(plan: Plan) -> float:
    """Return which mean log evidence makes an alarm nine times of ten.

    The alarm takes log(1/α), and the odds ratio that fits begins with its part of what
    is spent on the phase's start. Log evidence of mean s has a variance near 2 s.
    """
    gate = _errors(plan)
    design = harms.design(plan, gate)
    start = design.budget.at_starts / design.budget.planned_starts
    alarm = math.log(len(design.odds_ratios) / (start * gate.alpha))
    slack = NormalDist().inv_cdf(POWER) * math.sqrt(2)
    return ((slack + math.sqrt(slack * slack + 4 * alarm)) / 2) ** 2


def _growth(factor: float, ratio: float, share: float) -> float:
    """Return the log evidence that a treatment conversation adds, on average.

    Of so many failures for each, a part is treatment's; the evidence in it is the
    divergence of that part from the share that treatment has of all.
    """
    ours, theirs = factor * ratio, ratio * (1 - share) / share
    part = ours / (ours + theirs)
    divergence = part * math.log(part / share)
    if part < 1:
        divergence += (1 - part) * math.log((1 - part) / (1 - share))
    return (ours + theirs) * divergence


def _errors(plan: Plan) -> Harm:
    return next(gate for gate in plan.harms if gate.event == "error")
