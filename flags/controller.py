"""What becomes of a rollout at one tick: a pure function of what is known then.

Floors and harm gates come first, in every state in which anybody is exposed; then
integrity, holds, time and information, and success last. Missing data holds.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from flags import endings, values
from flags.gates import words
from flags.plans import Action
from flags.readings import Kind, Reading, Verdict
from flags.situation import Move, Outcome, Situation, State, stay, to

HALVE_PAUSE = timedelta(minutes=30)
_CENT = Decimal("0.01")
_STANDING = frozenset({State.PAUSED, State.COMPLETED})


def half_of(percent: Decimal) -> Decimal:
    """Return half of it, with two decimals; never more than half."""
    return values.plain((percent / 2).quantize(_CENT, rounding=ROUND_DOWN))


def decide(now: Situation) -> Outcome:
    """Return what becomes of the rollout."""
    if outcome := endings.ending(now):
        return outcome
    if now.is_exposed and (outcome := _protect(now)):
        return outcome
    return _peaceful(now)


def _peaceful(now: Situation) -> Outcome:
    match now.state:
        case State.ARMED:
            return _begin(now)
        case State.PAUSED:
            return stay(now, "It is paused; somebody must resume it.")
        case State.COMPLETED:
            return stay(
                now, "It is complete; health, database and memory go on being watched."
            )
        case _:
            return _ramp(now)


# --- Harm first ---------------------------------------------------------------------


def _protect(now: Situation) -> Outcome | None:
    """Act on a floor or a harm gate that fires; the hardest action of all counts."""
    firing = [
        each
        for each in now.readings
        if each.kind in {Kind.FLOOR, Kind.HARM} and each.is_firing
    ]
    if found := _asking(firing, Action.ROLL_BACK):
        return endings.roll_back(now, found.sentence)
    if found := _asking(firing, Action.HALVE):
        return _halve(now, found.sentence)
    if now.flag_percent != now.percent and (outcome := _overtaken(now)):
        return outcome
    if now.are_sessions_limited:
        return None
    found = _asking(firing, Action.LIMIT_SESSIONS)
    return _limit(now, found.sentence) if found else None


def _limit(now: Situation, why: str) -> Outcome:
    if now.limits_refusal:
        return _hold(now, f"{why} They could not be limited: {now.limits_refusal}")
    state = now.state if now.state in _STANDING else State.HELD  # a pause stays
    return to(now, Move.LIMIT_SESSIONS, state, why)


def _asking(firing: Iterable[Reading], action: Action) -> Reading | None:
    return next((each for each in firing if each.action is action), None)


def _overtaken(now: Situation) -> Outcome | None:
    """Somebody changed the percent past the rollout: leave it, and stand still."""
    if now.state in {State.PAUSED, State.COMPLETED, State.ARMED}:
        return None
    return to(
        now,
        Move.PAUSE,
        State.PAUSED,
        f"The percent was set to {now.flag_percent} by somebody else, where the "
        f"rollout had {now.percent}.",
    )


def _halve(now: Situation, why: str) -> Outcome:
    """Halve at most once in half an hour.

    Below the first phase it pauses instead, and if that has not helped it rolls back:
    a pause alone protects nobody.
    """
    if now.halved_at and now.now - now.halved_at < HALVE_PAUSE:
        return _hold(now, f"Halved or paused a short time ago: {why}")
    old = min(now.percent, now.flag_percent)  # somebody may have lowered it
    half = half_of(old)
    is_paused = now.state is State.PAUSED
    if half >= now.plan.percent_of(0):
        return Outcome(
            move=Move.HALVE,
            state=State.PAUSED if is_paused else State.HELD,
            percent=half,
            phase_index=now.phase_index,
            sentence=f"Halved from {old} to {half} %: {why}",
            is_measure=True,
        )
    if is_paused:
        return endings.roll_back(now, why)
    return replace(
        to(
            now,
            Move.PAUSE,
            State.PAUSED,
            f"Half of {old} % would be below the first phase, so it pauses, and is "
            f"rolled back if that has not helped in "
            f"{words.span(HALVE_PAUSE.total_seconds())}: {why}",
        ),
        is_measure=True,
    )


# --- Then the way up ----------------------------------------------------------------


def _begin(now: Situation) -> Outcome:
    if now.now < now.starts_at:
        return stay(now, f"It begins at {now.starts_at:%Y-%m-%d %H:%M} UTC.")
    if reasons := [*now.holds, *unapproved_phase(now, 0)]:
        return stay(now, f"It waits: {'; '.join(reasons)}.")
    return _first(now)


def _first(now: Situation) -> Outcome:
    percent = now.plan.percent_of(0)
    return Outcome(
        move=Move.BEGIN,
        state=State.RAMPING,
        percent=percent,
        phase_index=0,
        sentence=f"Phase 1 begins: {percent} % of new conversations.",
    )


def _ramp(now: Situation) -> Outcome:
    """Advance when nothing speaks against it; one phase at a tick at most."""
    if obstacles := _obstacles(now):
        return _hold(now, obstacles[0])
    if waiting := _waiting(now):
        return _go_on(now, waiting[0])
    up = ascend(now)
    if up.phase_index != now.phase_index and (
        unapproved := unapproved_phase(now, up.phase_index)
    ):
        return _hold(now, unapproved[0])
    return up


def ascend(now: Situation) -> Outcome:
    """Return the next step up, whatever speaks against it."""
    if now.state is State.ARMED:
        return _first(now)
    if now.percent < now.plan.percent_of(now.phase_index):
        return _widen(now, now.phase_index, "after it was halved")
    following = now.phase_index + 1
    if following == len(now.plan.phases):
        return Outcome(
            move=Move.COMPLETE,
            state=State.COMPLETED,
            percent=Decimal(100),
            phase_index=now.phase_index,
            sentence="Every phase has passed: it is given to all conversations.",
        )
    return _widen(now, following, f"phase {now.phase_index + 1} has passed")


def _widen(now: Situation, index: int, why: str) -> Outcome:
    percent = now.plan.percent_of(index)
    return Outcome(
        move=Move.ADVANCE,
        state=State.RAMPING,
        percent=percent,
        phase_index=index,
        sentence=f"Phase {index + 1} begins, {why}: {now.percent} → {percent} %.",
    )


def _obstacles(now: Situation) -> list[str]:
    """Return what keeps it where it is, the gravest first."""
    failed = [
        each.sentence
        for each in now.readings
        if each.verdict is Verdict.FAIL and each.is_required
    ]
    blind = [
        each.sentence
        for each in now.readings
        if each.kind is Kind.FLOOR and each.verdict is Verdict.NO_DATA
    ]
    late = [] if now.is_caught_up else ["The windows are not counted up to now yet."]
    unread = (
        ["The turns of this phase could not be read, so success was not judged."]
        if now.is_look_unread
        else []
    )
    return [*failed, *now.holds, *blind, *late, *unread]


def _waiting(now: Situation) -> list[str]:
    """Return what this phase still needs: time, information, success."""
    phase = now.plan.phases[now.phase_index]
    since = now.phase_since or now.now
    left_s = phase.dwell_s - (now.now - since).total_seconds()
    found = []
    if left_s > 0:
        found.append(f"Phase {now.phase_index + 1} lasts {words.span(left_s)} longer.")
    if now.unit_count < phase.unit_count:
        found.append(
            f"Phase {now.phase_index + 1} needs {phase.unit_count:,} treatment "
            f"conversations and has {now.unit_count:,}."
        )
    found += [
        each.sentence
        for each in now.readings
        if each.kind is Kind.SUCCESS
        and each.is_required
        and each.verdict is not Verdict.PASS
    ]
    asked = {each.key for each in now.readings if each.kind is Kind.SUCCESS}
    required = [each for each in phase.success if each.is_required]
    if not found and any(each.key not in asked for each in required):
        found.append("Success is judged at the next look.")
    return found


def unapproved_phase(now: Situation, index: int) -> list[str]:
    """Return what is missing where a phase needs a second person's word."""
    if now.plan.phases[index].needs_approval and not now.is_approved:
        return [f"Phase {index + 1} needs the approval of a second person."]
    return []


def _hold(now: Situation, why: str) -> Outcome:
    if now.state in _STANDING | {State.HELD}:
        return stay(now, why)
    return to(now, Move.HOLD, State.HELD, why)


def _go_on(now: Situation, why: str) -> Outcome:
    if now.state is State.RAMPING:
        return stay(now, why)
    sentence = f"Nothing holds it any more: it goes on. {why}"
    return to(now, Move.GO_ON, State.RAMPING, sentence)
