"""Whether a share of treatment's conversations or turns is beyond a limit."""

import math
from typing import Literal, NamedTuple

from flags.evidence import mixture
from flags.gates import words
from flags.gates.questions import Answer, Question
from flags.observations import ArmSummary
from flags.readings import Verdict


class _Units(NamedTuple):
    """So many hits among so many independent units, and the share as measured."""

    hits: float
    size: float
    ratio: float


def _errors(arm: ArmSummary) -> _Units | None:
    """Return turns, fewer of them the more errors come several to a conversation.

    The design effect of rare events is Σk²/Σk, k errors to a conversation (Kish 1965).
    One more conversation that failed throughout is added: few errors can't show yet
    that they come alone.
    """
    if not arm.turn_count:
        return None
    length = arm.turn_count / max(1, arm.conversation_count)
    effect = (arm.error_squares + length**2) / (arm.error_count + length)
    effect = max(1.0, effect)
    ratio = arm.error_count / arm.turn_count
    return _Units(arm.error_count / effect, arm.turn_count / effect, ratio)


def _hits(arm: ArmSummary) -> _Units | None:
    """Return conversations, each with the share of its lookups that found the session.

    The likelihood is convex in a value between 0 and 1, so the proof holds for shares.
    """
    if not arm.searched_count:
        return None
    ratio = arm.hit_ratio_sum / arm.searched_count
    return _Units(arm.hit_ratio_sum, arm.searched_count, ratio)


def _dislikes(arm: ArmSummary) -> _Units | None:
    if not arm.rated_count:
        return None
    return _Units(
        arm.disliked_count, arm.rated_count, arm.disliked_count / arm.rated_count
    )


# By metric: how it is counted, what the sentence calls it, and what is missing.
METRICS = {
    "error_ratio": (_errors, "of treatment's turns failed", "No turn has ended"),
    "session_hit_ratio": (_hits, "of sessions were found", "No session was looked for"),
    "dislike_ratio": (_dislikes, "of rated answers were disliked", "Nobody has rated"),
}


def answer(question: Question) -> Answer:
    """Prove the share beyond its limit, or the opposite, at any moment."""
    gate, alpha = question.gate, question.plan.success_alpha
    read, deed, missing = METRICS[gate.metric]
    units = read(question.treatment)
    if units is None:
        return Answer(verdict=Verdict.NO_DATA, found=f"{missing} in treatment yet")
    side: Literal["above", "below"] = "above" if gate.is_above else "below"
    other: Literal["above", "below"] = "below" if gate.is_above else "above"
    hits, count = _whole(units, side)
    proof, opposite = (
        mixture.log_evidence(
            hits=hits, count=count, limit_ratio=gate.threshold, proves=proves
        )
        for proves in (side, other)
    )
    verdict = Verdict.NOT_YET
    if proof >= -math.log(alpha):
        verdict = Verdict.PASS
    elif opposite >= -math.log(alpha):
        verdict = Verdict.FAIL
    bound = "at least" if gate.is_above else "at most"
    return Answer(
        verdict=verdict,
        found=(
            f"{words.share(units.ratio)} {deed} ({bound} {words.share(gate.threshold)} "
            f"is asked for)"
        ),
        numbers={
            "ratio": units.ratio,
            "threshold": gate.threshold,
            "n_t": question.treatment.conversation_count,
            "hits": hits,
            "independent_count": count,
            "log_evidence": proof,
            "log_evidence_against": opposite,
            "log_threshold": -math.log(alpha),
        },
        needed_count=_needed(question, side),
    )


def _whole(units: _Units, side: Literal["above", "below"]) -> tuple[int, int]:
    """Return whole numbers that make the proof no easier."""
    count = math.floor(units.size)
    hits = math.floor(units.hits) if side == "above" else math.ceil(units.hits)
    return min(hits, count), count


def _needed(question: Question, side: Literal["above", "below"]) -> int | None:
    gate = question.gate
    read, *_ = METRICS[gate.metric]
    units = read(question.treatment)
    if units is None:
        return None
    hits, count = _whole(units, side)
    more = mixture.needed_count(
        hits=hits,
        count=count,
        limit_ratio=gate.threshold,
        proves=side,
        alpha=question.plan.success_alpha,
    )
    if not (more and count):
        return None
    return math.ceil(more / count * question.treatment.conversation_count)
