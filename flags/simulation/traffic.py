"""Draws the windows of a ramp, and what its looks would find in the rows."""

import math
from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from flags.evidence.moments import Moments
from flags.gates.counts import Drawn
from flags.observations import ArmCounts, ArmSummary
from flags.plans import DAY_S, HOUR_S, Plan
from flags.simulation import chance
from flags.simulation.world import HOURS, Fault, Hour, Spell, World, share_above

_MINUTE_S = 60
# A fault of this kind makes this field of `_Chances` larger.
_FIELDS = {
    "errors": "error",
    "empty": "blank",
    "dislikes": "disliked",
    "latency": "latency_ms",
    "tokens": "tokens",
}


@dataclass(frozen=True, slots=True)
class _Chances:
    """What may happen to a conversation of an arm: shares 0–1, and two medians."""

    error: float
    blank: float
    disliked: float
    latency_ms: float
    tokens: float


class Traffic:
    """A ramp's conversations, window after window; the same seed draws the same."""

    def __init__(self, plan: Plan, world: World, dice: Random) -> None:
        self._plan, self._world, self._dice = plan, world, dice
        self._day = -1
        self._hours: tuple[Hour, ...] = ()
        self._spells: list[tuple[float, float, Spell]] = []

    def window(self, at_s: float, *, percent: Decimal, phase_index: int) -> Drawn:
        """Draw the window that begins so long after the ramp."""
        self._turn_to(int(at_s // DAY_S))
        second = at_s % DAY_S
        hour = self._hours[int(second // HOUR_S) % HOURS]
        usual = self._usual(hour, second)
        treated = self._treated(usual, percent)
        mean, part = hour.per_hour * self._plan.window_s / HOUR_S, float(percent) / 100
        return Drawn(
            phase_index=phase_index,
            percent=percent,
            treatment=self._arm(mean * part, treated),
            control=self._arm(mean * (1 - part), usual),
        )

    def logs(self, count: int, *, percent: Decimal, is_treated: bool) -> ArmSummary:
        """Draw times, tokens and sessions of conversations that ended well.

        As usual: a spell of slow answers, which both arms share, leaves no trace here.
        """
        world, dice = self._world, self._dice
        found = self._usual(Hour(0, 0), None)
        if is_treated:
            found = self._treated(found, percent)
        lookups = count * (world.turns - 1)
        hits = chance.binomial(dice, lookups, world.effect.hit_ratio)
        return ArmSummary(
            searched_count=count if is_treated and lookups else 0,
            lookup_count=lookups if is_treated else 0,
            hit_count=hits if is_treated else 0,
            hit_ratio_sum=hits / (world.turns - 1) if is_treated and lookups else 0.0,
            log_latency=chance.moments(
                dice,
                count,
                mean=math.log(found.latency_ms),
                spread=world.latency_spread,
            ),
            log_tokens=chance.moments(
                dice, count, mean=math.log(found.tokens), spread=world.tokens_spread
            ),
        )

    def _turn_to(self, day: int) -> None:
        """Draw a day and its trouble."""
        if day == self._day:
            return
        self._day, dice = day, self._dice
        self._hours = dice.choice(self._world.days)
        self._spells = []
        for spell in self._world.trouble:
            for _ in range(chance.poisson(dice, spell.a_day)):
                begin = dice.uniform(0, DAY_S - spell.minutes * _MINUTE_S)
                self._spells.append((begin, begin + spell.minutes * _MINUTE_S, spell))

    def _usual(self, hour: Hour, second: float | None) -> _Chances:
        error, slowdown = hour.error_ratio, 1.0
        for begin, end, spell in self._spells if second is not None else ():
            if begin <= (second or 0) < end:
                error = max(error, spell.error_ratio)
                slowdown = max(slowdown, spell.slowdown)
        world = self._world
        return _Chances(
            error=error,
            blank=hour.blank_ratio,
            disliked=world.disliked_ratio,
            latency_ms=world.latency_ms * slowdown,
            tokens=world.tokens,
        )

    def _treated(self, usual: _Chances, percent: Decimal) -> _Chances:
        effect = self._world.effect
        found = replace(
            usual,
            latency_ms=usual.latency_ms * (1 - effect.latency_reduction),
            tokens=usual.tokens * (1 - effect.token_reduction),
        )
        for fault in faults_at(self._world, percent):
            name = _FIELDS[fault.kind]
            worse = getattr(found, name) * fault.factor
            is_share = fault.kind not in {"latency", "tokens"}
            found = replace(found, **{name: min(1.0, worse) if is_share else worse})
        return found

    def _arm(self, mean: float, chances: _Chances) -> ArmCounts:
        plan, world, dice = self._plan, self._world, self._dice
        count = chance.poisson(dice, mean)
        if not count:
            return ArmCounts()
        slow = share_above(
            plan.slow_ms, median=chances.latency_ms, spread=world.latency_spread
        )
        costly = share_above(
            plan.costly_tokens, median=chances.tokens, spread=world.tokens_spread
        )
        rated = chance.binomial(dice, count, world.rated_ratio)
        return ArmCounts(
            assigned_count=count,
            conversation_count=count,
            turn_count=count * world.turns,
            error_count=chance.binomial(dice, count, chances.error),
            blank_count=chance.binomial(dice, count, chances.blank),
            slow_count=chance.binomial(dice, count, slow),
            costly_count=chance.binomial(dice, count, costly),
            rated_count=rated,
            disliked_count=chance.binomial(dice, rated, chances.disliked),
        )


def faults_at(world: World, percent: Decimal) -> list[Fault]:
    """Return the harm that the feature does at a percent."""
    return [fault for fault in world.faults if 0 < percent >= fault.percent]


@dataclass(slots=True)
class Phase:
    """Both arms of a phase so far: each window added, logs drawn only for a look.

    One turn at most of a conversation fails.
    """

    traffic: Traffic
    percent: Decimal
    turns: int
    _arms: dict[bool, ArmSummary] = field(default_factory=dict)
    _unlooked: dict[bool, int] = field(default_factory=dict)

    def add(self, window: Drawn) -> None:
        """Count a window."""
        for is_treated, counts in ((True, window.treatment), (False, window.control)):
            if not counts.conversation_count:
                continue
            arm = self._arms.get(is_treated, ArmSummary())
            self._arms[is_treated] = replace(
                arm,
                conversation_count=arm.conversation_count + counts.conversation_count,
                turn_count=arm.turn_count + counts.turn_count,
                failed_count=arm.failed_count + counts.error_count,
                error_count=arm.error_count + counts.error_count,
                error_squares=arm.error_squares + counts.error_count,
                rated_count=arm.rated_count + counts.rated_count,
                disliked_count=arm.disliked_count + counts.disliked_count,
            )
            good = counts.conversation_count - counts.error_count
            self._unlooked[is_treated] = self._unlooked.get(is_treated, 0) + good

    def look(self) -> tuple[ArmSummary, ArmSummary]:
        """Return treatment and control, with all that is known of them now."""
        return self._looked(is_treated=True), self._looked(is_treated=False)

    def _looked(self, *, is_treated: bool) -> ArmSummary:
        arm = self._arms.get(is_treated, ArmSummary())
        new = self.traffic.logs(
            self._unlooked.pop(is_treated, 0),
            percent=self.percent,
            is_treated=is_treated,
        )
        arm = replace(
            arm,
            searched_count=arm.searched_count + new.searched_count,
            lookup_count=arm.lookup_count + new.lookup_count,
            hit_count=arm.hit_count + new.hit_count,
            hit_ratio_sum=arm.hit_ratio_sum + new.hit_ratio_sum,
            log_latency=arm.log_latency + new.log_latency,
            log_tokens=arm.log_tokens + new.log_tokens,
        )
        self._arms[is_treated] = arm
        return arm


class Recent:
    """The last minutes of both arms, for the floors."""

    def __init__(self, plan: Plan) -> None:
        length = max(1, int(plan.floors["floor_window_s"]) // plan.window_s)
        self._windows: deque[Drawn] = deque(maxlen=length)
        self.failed_count = 0

    def add(self, window: Drawn) -> None:
        """Take in the newest window."""
        if len(self._windows) == self._windows.maxlen:
            self.failed_count -= self._windows[0].treatment.error_count
        self.failed_count += window.treatment.error_count
        self._windows.append(window)

    def arms(self) -> tuple[ArmSummary, ArmSummary]:
        """Return treatment and control; how long answers took is not in it."""
        return (
            _added([each.treatment for each in self._windows]),
            _added([each.control for each in self._windows]),
        )


def _added(windows: list[ArmCounts]) -> ArmSummary:
    failed = sum(each.error_count for each in windows)
    return ArmSummary(
        conversation_count=sum(each.conversation_count for each in windows),
        turn_count=sum(each.turn_count for each in windows),
        failed_count=failed,
        error_count=failed,
        error_squares=failed,
        log_latency=Moments(),
    )
