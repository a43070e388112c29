"""Failing and slow arms: the feature's doing where control is well."""

import math
from collections.abc import Mapping

from flags.evidence import fisher
from flags.evidence.fisher import Counts
from flags.gates import words
from flags.gates.floor_words import floor
from flags.observations import ArmSummary
from flags.plans import Action, Plan
from flags.readings import Reading, Verdict

# Windows of ten minutes that overlap are judged every half a minute, and both arms of a
# bad provider differ by chance: so much sooner than alike must it be failing apart.
_APART = 100_000.0
_ODDS_RATIOS = (2.0, 5.0, 10.0, 20.0, 100.0)
_FEWEST_TIMED = 5


def readings(
    treatment: ArmSummary | None, control: ArmSummary | None, plan: Plan
) -> list[Reading]:
    """Return what both arms say together. None: it could not be read."""
    if treatment is None or control is None:
        return [
            floor("error_share", Verdict.NO_DATA, "Failures could not be counted."),
            floor("slowness", Verdict.NO_DATA, "Answers could not be timed."),
        ]
    return [
        _errors(treatment, control, plan.floors),
        _slowness(treatment, control, plan),
    ]


def _errors(
    ours: ArmSummary, theirs: ArmSummary, limits: Mapping[str, float]
) -> Reading:
    """Roll back where many fail in treatment and few in control.

    Where control fails too it is the provider, and where control is too few to tell
    nobody knows: then nothing moves. Harm gates go on watching. Without the proof that
    the arms differ, a quarter of healthy ramps with outages would be taken back.
    """
    share, their_share = _failed_ratio(ours), _failed_ratio(theirs)
    found = (
        f"{words.count(ours.failed_count)} of {words.count(ours.conversation_count)} "
        f"treatment conversations failed in {words.span(limits['floor_window_s'])}, "
        f"{words.count(theirs.failed_count)} of "
        f"{words.count(theirs.conversation_count)} in control"
    )
    numbers = {
        "n_t": ours.conversation_count,
        "n_c": theirs.conversation_count,
        "failed_t": ours.failed_count,
        "failed_c": theirs.failed_count,
        "rate_t": share,
        "rate_c": their_share,
        "threshold": limits["error_ratio"],
    }
    verdict, action, why = Verdict.FAIL, Action.HOLD, ""
    if (
        ours.failed_count < limits["failed_conversations"]
        or (share or 0) < limits["error_ratio"]
    ):
        verdict, action = Verdict.PASS, Action.ROLL_BACK
    elif (their_share or 0) >= limits["control_error_ratio"]:
        why = ": both arms fail, so it is the provider"
    elif _apart(ours, theirs) < _APART:
        why = ": control can't tell yet whose fault it is"
    else:
        action = Action.ROLL_BACK
    return floor(
        "error_share", verdict, f"{found}{why}.", action=action, numbers=numbers
    )


def _apart(ours: ArmSummary, theirs: ArmSummary) -> float:
    """Return how much likelier the failures are if treatment alone is to blame."""
    counts = Counts(
        treatment_count=ours.conversation_count,
        treatment_failed=ours.failed_count,
        control_count=theirs.conversation_count,
        control_failed=theirs.failed_count,
    )
    (values,) = fisher.e_values(counts, odds_ratios=_ODDS_RATIOS, limits=(1.0,))
    return sum(values) / len(values)


def _slowness(ours: ArmSummary, theirs: ArmSummary, plan: Plan) -> Reading:
    """Stand still while both arms are slow: that is not the feature's doing."""
    our_ms, their_ms = _typical_ms(ours), _typical_ms(theirs)
    numbers = {
        "treatment_ms": our_ms,
        "control_ms": their_ms,
        "limit_ms": plan.slow_ms,
    }
    if our_ms is None or their_ms is None:
        sentence = "Too few answers were timed to call both arms slow."
        return floor("slowness", Verdict.PASS, sentence, numbers=numbers)
    found = (
        f"A typical answer took {words.count(our_ms)} ms in treatment and "
        f"{words.count(their_ms)} ms in control"
    )
    if min(our_ms, their_ms) > plan.slow_ms:
        sentence = f"{found}: both arms are slow, so it is the provider."
        return floor("slowness", Verdict.FAIL, sentence, numbers=numbers)
    return floor("slowness", Verdict.PASS, f"{found}.", numbers=numbers)


def _typical_ms(arm: ArmSummary) -> float | None:
    """Return the geometric mean of the conversations' times; None for too few."""
    mean = arm.log_latency.mean
    return (
        math.exp(mean)
        if mean is not None and arm.log_latency.count >= _FEWEST_TIMED
        else None
    )


def _failed_ratio(arm: ArmSummary) -> float | None:
    if not arm.conversation_count:
        return None
    return arm.failed_count / arm.conversation_count
