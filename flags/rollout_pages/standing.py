"""Where a rollout stands, in words and bars: state, exposure, the phase, its phases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from flags import gathering, rollouts, windows, wording
from flags.evaluation import Variant
from flags.gates.knowledge import Knowledge
from flags.measurements import Bar
from flags.models import Decision, Rollout
from flags.plans import Plan
from flags.readings import Verdict
from flags.rollout_pages import words
from flags.situation import Move, State
from monitoring import slis

_HOUR = timedelta(hours=1)
_MINUTE_S = 60
_CLIMBING = {State.RAMPING, State.HELD, State.PAUSED}
# What leads into a state that somebody has to understand before anything else.
_CAUSES: Mapping[State, set[Move]] = {
    State.HELD: {Move.HOLD, Move.HALVE, Move.LIMIT_SESSIONS},
    State.PAUSED: {Move.PAUSE, Move.HALVE},
    State.ROLLING_BACK: {Move.ROLL_BACK},
    State.ROLLED_BACK: {Move.ROLL_BACK},
}


@dataclass(frozen=True, slots=True)
class Step:
    """A phase of the plan: `now` is the one it is in, `passed` one that is over.

    `lowered` is the percent of the one it is in where that was taken down, else empty.
    """

    number: int
    percent: str
    dwell: str
    units: str
    place: str
    lowered: str = ""


def title(rollout: Rollout, plan: Plan) -> tuple[str, str]:
    """Return the state's word, and where it is, to be read one after the other."""
    state = State(rollout.state)
    given = words.percent(rollout.percent)
    where = {
        State.ARMED: f"to begin at {words.moment(rollout.starts_at)}",
        State.ROLLING_BACK: "to 0 %",
        State.ROLLED_BACK: f"in phase {rollout.phase_index + 1}: 0 % now",
        State.COMPLETED: f"at {given}: every phase has passed",
    }
    total = len(plan.phases)
    usual = f"at {given}, phase {rollout.phase_index + 1} of {total}"
    return words.STATES[state], where.get(state, usual)


def cause(rollout: Rollout, last: Decision | None) -> Decision | None:
    """Return what brought it where it stands, where the last decision says less."""
    causes = _CAUSES.get(State(rollout.state), set())
    if last is None or last.action in causes:
        return None
    moved = rollout.decisions.filter(action__in=causes)
    return moved.order_by("-number").first()


def was_taken_back_by_gate(rollout: Rollout) -> bool:
    """Tell whether a gate that failed took it back last, and no person."""
    backs = rollout.decisions.filter(action=Move.ROLL_BACK)
    last = backs.order_by("-number").first()
    return last is not None and any(
        each["verdict"] == Verdict.FAIL and each["sentence"] in last.sentence
        for each in last.readings
    )


def warnings(rollout: Rollout, now: datetime) -> list[str]:
    """Return what is wrong around the rollout, a sentence each."""
    if not rollouts.is_watched(rollout, now):
        return []
    found = []
    if _is_stale(rollout, now):
        last = rollout.ticked_at
        since = f"since {words.moment(last)}" if last else "since it was started"
        found.append(
            f"Nobody has looked at this rollout {since}: it neither widens nor is "
            f"taken back. Are a worker and its scheduler running?"
        )
    given = gathering.flag_percent()
    if rollout.state in _CLIMBING and given != rollout.percent:
        is_left = rollout.state == State.PAUSED and given
        what = (
            "to resume it takes the lower of both"
            if is_left
            else "the next tick acts on that"
        )
        found.append(
            f"The flag gives {words.percent(given)}, where the rollout has "
            f"{words.percent(rollout.percent)}: {what}."
        )
    return found


def exposure(rollout: Rollout, now: datetime) -> list[Bar]:
    """Return what is set, and what was measured in the last hour.

    The new conversations are those of the windows that this rollout has counted.
    """
    given = gathering.flag_percent()
    counts = [
        windows.totals(rollout, now - _HOUR, now, variant.value).assigned_count
        for variant in (Variant.ON, Variant.OFF)
    ]
    drawn = sum(counts)
    measured = slis.exposure(_HOUR)
    turns = "no data: no turns"
    if measured.value is not None:
        turns = _told(measured.value, measured.valid, "turns")
    share = max(0, counts[0]) / drawn if drawn > 0 else None
    begun = _uncounted(rollout)
    if share is not None:
        begun = _told(share, drawn, "new conversations")
    return [
        Bar("Set", float(given), words.percent(given)),
        _measured("Turns, last hour", measured.value, turns, given),
        _measured("New conversations of this rollout, last hour", share, begun, given),
    ]


def _told(share: float, count: int, events: str) -> str:
    return f"measured {wording.share(share)} of {count:,} {events}"


def _measured(name: str, share: float | None, told: str, mark: Decimal) -> Bar:
    return Bar(name, None if share is None else share * 100, told, float(mark))


def _uncounted(rollout: Rollout) -> str:
    """Say why no conversation was counted in the last hour; many may have begun."""
    if rollout.state == State.PAUSED:
        return "no data: no new conversations are counted in a pause"
    if rollout.windows.exists() or rollout.ended_at:
        return "no data: none was counted"
    return "not counted yet: each window of time is counted once it is over"


def progress(
    rollout: Rollout, plan: Plan, knowledge: Knowledge, now: datetime
) -> list[Bar]:
    """Return how much of the phase's time and information is there; none: no phase."""
    if rollout.state not in _CLIMBING or rollout.phase_since is None:
        return []
    phase = plan.phases[rollout.phase_index]
    elapsed_s = max(0.0, (now - rollout.phase_since).total_seconds())
    units = knowledge.units_in(rollout.phase_index)
    return [
        _time(elapsed_s, phase.dwell_s),
        _information(units, phase.unit_count, _pace(rollout, now)),
    ]


def next_look(rollout: Rollout, plan: Plan, now: datetime) -> str:
    """Say when success is judged next; empty where it is not."""
    if rollout.state not in {State.RAMPING, State.HELD} or rollout.phase_since is None:
        return ""
    phase = plan.phases[rollout.phase_index]
    if not phase.success:
        return ""
    elapsed_s = (now - rollout.phase_since).total_seconds()
    shares = ", ".join(f"{share * 100:.0f}" for share in phase.looks)
    for share in phase.looks:
        if share * phase.dwell_s > elapsed_s:
            left = words.span(share * phase.dwell_s - elapsed_s)
            return (
                f"Success is judged at {shares} % of the phase's time; next in about "
                f"{left}."
            )
    if elapsed_s >= phase.dwell_s + plan.max_extension_s:
        return (
            "The planned looks at success are over, and so is the time that the plan "
            "gives a phase beyond them: it is judged no more, and somebody must decide."
        )
    return "The planned looks at success are over: it is judged once an hour now."


def steps(plan: Plan, rollout: Rollout | None = None) -> Sequence[Step]:
    """Return the phases of a plan, and where the rollout is among them."""
    return [
        Step(
            number=index + 1,
            percent=words.percent(plan.percent_of(index)),
            dwell=words.span(phase.dwell_s),
            units=f"{phase.unit_count:,}",
            place=_place(index, rollout),
            lowered=_lowered(plan, index, rollout),
        )
        for index, phase in enumerate(plan.phases)
    ]


def _place(index: int, rollout: Rollout | None) -> str:
    if rollout is None or rollout.state == State.ARMED:
        return "to come"
    if rollout.state == State.COMPLETED or index < rollout.phase_index:
        return "passed"
    if index > rollout.phase_index:
        return "to come"
    is_over = rollout.state in {State.ROLLING_BACK, State.ROLLED_BACK}
    return "ended here" if is_over else "now"


def _lowered(plan: Plan, index: int, rollout: Rollout | None) -> str:
    """Return what the phase that it is in gives, where that is less than planned."""
    if rollout is None or _place(index, rollout) != "now":
        return ""
    is_less = rollout.percent < plan.percent_of(index)
    return words.percent(rollout.percent) if is_less else ""


def _time(elapsed_s: float, dwell_s: float) -> Bar:
    left_s, length = dwell_s - elapsed_s, words.span(dwell_s)
    if left_s <= 0:
        told = f"the time is over ({length})"
    elif elapsed_s < _MINUTE_S:
        told = f"just begun: {length} in all"
    else:
        rest = words.span(left_s) if left_s >= _MINUTE_S else "less than a minute"
        told = f"{words.span(elapsed_s)} of {length}: {rest} left"
    return Bar("Time", min(100.0, 100 * elapsed_s / dwell_s), told)


def _information(units: int, needed: int, an_hour: float) -> Bar:
    if units >= needed:
        told = f"{units:,} treatment conversations: enough, for {needed:,} are needed"
        return Bar("Information", 100.0, told)
    missing = needed - units
    told = f"{units:,} of {needed:,} treatment conversations: {missing:,} more"
    if an_hour:
        told += f", about{words.SPACE}{words.span(3600 * missing / an_hour)}"
    return Bar("Information", 100 * units / needed, told)


def _pace(rollout: Rollout, now: datetime) -> float:
    """Return how many treatment conversations come in an hour, at this percent.

    By the windows of the last hour; 0 where that is not known.
    """
    begin = max(rollout.phase_since or now, now - _HOUR)
    end = min(now, rollout.counted_until or begin)
    if end <= begin:
        return 0.0
    count = windows.totals(rollout, begin, end, Variant.ON.value).assigned_count
    return max(0, count) / ((end - begin) / _HOUR)


def _is_stale(rollout: Rollout, now: datetime) -> bool:
    last = rollout.ticked_at or max(rollout.created_at, rollout.starts_at)
    return words.is_stale(last, now)
