"""Integrity: does treatment get the share of conversations that was set?"""

from dataclasses import replace

from flags.evidence import sample_ratio
from flags.gates import words
from flags.gates.counts import Pair
from flags.gates.knowledge import Knowledge
from flags.plans import Action, Plan
from flags.readings import Kind, Reading, Verdict

KEY = "sample_ratio"


def step(knowledge: Knowledge, pair: Pair) -> Knowledge:
    """Add the conversations that were drawn in a window; a new percent counts anew.

    Where everybody gets the feature there is no ratio to watch.
    """
    share = float(pair.percent) / 100
    if not 0 < share < 1:
        return knowledge
    split = knowledge.split or sample_ratio.State(share=share)
    if split.share != share:
        split = split.begin(share=share)
    # A correction may take back more than its window has; never below nothing.
    treatment = max(0, pair.treatment.assigned_count)
    count = treatment + max(0, pair.control.assigned_count)
    return replace(knowledge, split=split.add(treatment_count=treatment, count=count))


def readings(knowledge: Knowledge, plan: Plan) -> list[Reading]:
    """Return the one gate's word: a wrong share holds, for no comparison is fair then.

    Harm gates go on: they compare within windows, whatever the share.
    """
    split = knowledge.split
    if split is None or (not split.count and split.evidence < 1 / plan.ratio_alpha):
        return [
            _word(Verdict.NO_DATA, "No conversation was drawn at this percent yet.")
        ]
    measured = split.treatment_count / split.count if split.count else None
    numbers = {
        "n_t": split.treatment_count,
        "n": split.count,
        "share": measured,
        "share_set": split.share,
        "evidence": split.evidence,
        "threshold": 1 / plan.ratio_alpha,
        "alpha": plan.ratio_alpha,
    }
    found = (
        f"Treatment got {words.count(split.treatment_count)} of "
        f"{words.count(split.count)} conversations"
        + (f" ({words.share(measured)})" if measured is not None else "")
        + f" where {words.share(split.share)} is set"
    )
    if split.evidence >= 1 / plan.ratio_alpha:
        is_seen_here = replace(split, earlier=0.0).evidence >= 1 / plan.ratio_alpha
        before = ":" if is_seen_here else ", but counted with those of earlier percents"
        sentence = f"{found}{before} the shares are wrong, so nothing can be compared."
        return [_word(Verdict.FAIL, sentence, **numbers)]
    return [_word(Verdict.PASS, f"{found}.", **numbers)]


def _word(verdict: Verdict, sentence: str, **numbers: float | None) -> Reading:
    return Reading(
        key=KEY,
        kind=Kind.INTEGRITY,
        verdict=verdict,
        sentence=sentence,
        action=Action.HOLD,
        numbers=numbers,
    )
