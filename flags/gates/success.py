"""Success: what a phase must show before the next one, judged at planned looks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flags.gates import reductions, shares, words
from flags.gates.knowledge import Judged, Knowledge
from flags.gates.questions import Answer, Question
from flags.observations import ArmSummary
from flags.plans import HOUR_S, Plan, Success
from flags.readings import Kind, Reading, Verdict

# A phase that is extended is judged so often; each time reads all of its turns.
EXTENDED_STEP_S = HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A phase until now: its number from 0, its time, and both arms over all of it.

    `since` is when it began; None: that does not matter.
    """

    phase_index: int
    elapsed_s: float
    treatment: ArmSummary
    control: ArmSummary
    since: datetime | None = None


def due(
    plan: Plan, phase_index: int, *, phase_since: datetime, now: datetime, taken: int
) -> int | None:
    """Return the look that is to be taken now, from 0; None: none is due.

    `taken` is the first look not taken yet (`Judged.next_look`). Of several that were
    missed, the newest: looks need no moments of their own. After the planned ones a
    phase is looked at every `EXTENDED_STEP_S`, until the plan's extension is over.
    """
    phase = plan.phases[phase_index]
    elapsed_s = (now - phase_since).total_seconds()
    passed = sum(share * phase.dwell_s <= elapsed_s for share in phase.looks)
    if passed == len(phase.looks):
        extended_s = min(elapsed_s - phase.dwell_s, plan.max_extension_s)
        passed += int(extended_s // EXTENDED_STEP_S)
    return passed - 1 if passed > taken else None


def judge(knowledge: Knowledge, plan: Plan, facts: Facts, *, look: int) -> Knowledge:
    """Take a look: judge every success gate of the phase, and keep what was said.

    What was proved once in a phase stays proved there, unless the opposite is.
    """
    judged = knowledge.judged_in(facts.phase_index, facts.since)
    looks, proved = dict(judged.looks), dict(judged.proved)
    readings = []
    for gate in plan.phases[facts.phase_index].success:
        before = looks.get(gate.key, ())
        answer = _answer(
            Question(
                plan=plan,
                phase_index=facts.phase_index,
                gate=gate,
                look=look,
                treatment=facts.treatment,
                control=facts.control,
                before=before,
            )
        )
        if answer.look:
            looks[gate.key] = (*before, answer.look)
        if answer.verdict is Verdict.PASS:
            proved.setdefault(gate.key, look)
        readings.append(_reading(plan, facts, gate, answer, proved.get(gate.key)))
    return replace(
        knowledge,
        judged=Judged(
            phase_index=facts.phase_index,
            next_look=look + 1,
            looks=looks,
            proved=proved,
            readings=tuple(readings),
            since=facts.since,
            at=facts.since and facts.since + timedelta(seconds=facts.elapsed_s),
        ),
    )


def readings(
    knowledge: Knowledge, phase_index: int, since: datetime | None = None
) -> list[Reading]:
    """Return what was said at the last look of a phase; nothing before the first."""
    return list(knowledge.judged_in(phase_index, since).readings)


def metrics() -> Iterator[str]:
    """Yield what a success gate may be about."""
    yield from reductions.METRICS
    yield from shares.METRICS


def _answer(question: Question) -> Answer:
    """Ask whoever knows the metric. Raises: ValueError where nobody does."""
    if question.gate.metric in reductions.METRICS:
        return reductions.answer(question)
    if question.gate.metric in shares.METRICS:
        return shares.answer(question)
    raise ValueError(
        f"The gate {question.gate.key} asks for {question.gate.metric}, which nobody "
        f"measures: one of {', '.join(metrics())} is needed."
    )


def _reading(
    plan: Plan, facts: Facts, gate: Success, answer: Answer, proved_at: int | None
) -> Reading:
    verdict, needed_s = answer.verdict, None
    if verdict is Verdict.NOT_YET and proved_at is not None:
        verdict = Verdict.PASS
    needed = answer.needed_count if verdict is Verdict.NOT_YET else None
    if needed and facts.treatment.conversation_count:
        needed_s = needed * facts.elapsed_s / facts.treatment.conversation_count
        # Nobody looks before, however soon they have come.
        needed_s = max(needed_s, _next_look_s(plan, facts))
    if verdict is Verdict.NOT_YET and _is_over(plan, facts):
        end = "; the extension is over, so somebody must decide."
    else:
        end = _end(verdict, needed, needed_s, proved_at)
    return Reading(
        key=gate.key,
        kind=Kind.SUCCESS,
        verdict=verdict,
        sentence=answer.found + end,
        is_required=gate.is_required,
        numbers=answer.numbers,
        needed_count=needed,
        needed_s=needed_s,
    )


def _end(
    verdict: Verdict, needed: int | None, needed_s: float | None, proved_at: int | None
) -> str:
    match verdict:
        case Verdict.PASS:
            return f"; proved at look {(proved_at or 0) + 1}."
        case Verdict.FAIL:
            return ": it is proved that this is not reached."
        case Verdict.NO_DATA:
            return "."
    if not needed:
        return "; not proved yet."
    time = f", about {words.span(needed_s)}" if needed_s else ""
    return f"; {words.count(needed)} more treatment conversations{time}, would tell."


def _next_look_s(plan: Plan, facts: Facts) -> float:
    """Return how long it is to the next look: a planned one, or that of an hour."""
    phase = plan.phases[facts.phase_index]
    for share in phase.looks:
        if share * phase.dwell_s > facts.elapsed_s:
            return share * phase.dwell_s - facts.elapsed_s
    return EXTENDED_STEP_S - (facts.elapsed_s - phase.dwell_s) % EXTENDED_STEP_S


def _is_over(plan: Plan, facts: Facts) -> bool:
    dwell_s = plan.phases[facts.phase_index].dwell_s
    return facts.elapsed_s >= dwell_s + plan.max_extension_s
