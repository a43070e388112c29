"""Whether treatment takes less time or fewer tokens, by ratios of typical values."""

import math
from statistics import NormalDist

from flags.evidence import looks, sequence
from flags.evidence.looks import Look
from flags.evidence.moments import Difference, Moments, difference
from flags.gates import words
from flags.gates.questions import Answer, Question
from flags.readings import Verdict

# By metric: where its logarithms are, and what the sentence calls it.
METRICS = {
    "response_time_reduction": ("log_latency", "Answers were", "sooner", "later"),
    "billed_token_reduction": ("log_tokens", "Prompts had", "fewer tokens", "more"),
}


def answer(question: Question) -> Answer:
    """Compare one value for each conversation, at planned looks.

    They share α by O'Brien and Fleming; a phase that is extended may be looked at at
    any time, with another half of α. The opposite must be proved as well as the gate.
    """
    gate = question.gate
    found = _difference(question)
    if found is None or not 0 < gate.threshold < 1:
        return Answer(
            verdict=Verdict.NO_DATA,
            found=f"Too few conversations of both arms were measured for {gate.key}",
        )
    limit = math.log1p(-gate.threshold)
    z = found.z(limit=limit) * (1 if gate.is_above else -1)
    look = _look(question, found)
    bound_z = look.bound_z if look else _extended_z(question, found)
    is_early = _pairs(question) < sequence.BURN_IN
    verdict = Verdict.NOT_YET
    if not is_early and z >= bound_z:
        verdict = Verdict.PASS
    elif not is_early and z <= -bound_z:
        verdict = Verdict.FAIL
    return Answer(
        verdict=verdict,
        found=_words(question, found),
        numbers=_numbers(question, found, z=z, bound_z=bound_z),
        needed_count=_needed(question, found, z=z),
        look=look,
    )


def _moments(question: Question) -> tuple[Moments, Moments]:
    """Return treatment's and control's."""
    name, *_ = METRICS[question.gate.metric]
    return getattr(question.treatment, name), getattr(question.control, name)


def _difference(question: Question) -> Difference | None:
    ours, theirs = _moments(question)
    return difference(treatment=ours, control=theirs)


def _pairs(question: Question) -> int:
    """Return how many conversations the smaller arm has."""
    ours, theirs = _moments(question)
    return min(ours.count, theirs.count)


def _look(question: Question, found: Difference) -> Look | None:
    """Return the planned look; None: none is planned, or nothing came since the last.

    The plan says how much is to be known in the end. With more traffic than that, the
    time says it: neither depends on what was measured.
    """
    known = question.before[-1].information if question.before else 0.0
    if question.is_extended or found.information <= known:
        return None
    return looks.look(
        question.before,
        information=found.information,
        planned_information=max(
            question.planned_pairs, found.information / question.elapsed_share
        ),
        alpha=question.plan.success_alpha,
        is_last=question.is_last,
    )


def _extended_z(question: Question, found: Difference) -> float:
    """Return how many standard errors are proof at any time."""
    # Set once for a phase: by its plan, or by its last planned look.
    last = question.before[-1].information if question.before else 0.0
    return sequence.standard_width(
        found.information,
        alpha=question.plan.success_alpha / 2,
        planned_information=max(question.planned_pairs, last, 1.0),
    )


def _needed(question: Question, found: Difference, *, z: float) -> int | None:
    """Return about how many more treatment conversations prove it, four times of five.

    None where the estimate is on the other side, or the next look may well do.
    """
    if question.is_last or question.is_extended:
        bound_z = _extended_z(question, found)
    else:
        bound_z = NormalDist().inv_cdf(1 - question.plan.success_alpha)
    more = looks.needed_information(z=z, bound_z=bound_z, information=found.information)
    if not more:
        return None
    ours, _ = _moments(question)
    return math.ceil(more / found.information * ours.count)


def _words(question: Question, found: Difference) -> str:
    _, subject, less, more = METRICS[question.gate.metric]
    reduction = -math.expm1(found.estimate)
    bound = "at least" if question.gate.is_above else "at most"
    direction = less if reduction >= 0 else more
    return (
        f"{subject} {words.share(abs(reduction))} {direction} ({bound} "
        f"{words.share(question.gate.threshold)} {less} is asked for)"
    )


def _numbers(
    question: Question, found: Difference, *, z: float, bound_z: float
) -> dict[str, float | None]:
    ours, theirs = _moments(question)
    return {
        "reduction": -math.expm1(found.estimate),
        "threshold": question.gate.threshold,
        "log_ratio": found.estimate,
        "standard_error": found.standard_error,
        "n_t": ours.count,
        "n_c": theirs.count,
        "z": z,
        "bound_z": bound_z,
        "information": found.information,
    }
