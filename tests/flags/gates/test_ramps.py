"""Whole ramps on drawn traffic: health is left alone, and harm is found in time."""

from dataclasses import replace

import numpy as np
import pytest

from flags.gates import floors, harms, integrity, learning
from flags.gates.counts import Drawn
from flags.gates.floors import Facts
from flags.gates.knowledge import Knowledge
from flags.observations import ArmCounts
from flags.plans import Action, Harm
from flags.readings import Verdict
from tests.flags.gates.arms import arm
from tests.flags.gates.drawn_ramps import (
    PLAN,
    Evidence,
    Trouble,
    Windows,
    traffic,
)

# The provider fails 30 % of both arms for a quarter of an hour, every day, and 10 %
# for two minutes, six times a day.
OUTAGES = Trouble(usual=0.005, during=0.3, spells=1, minutes=15, bursts=6)
SLOW = Trouble(usual=0.03, during=0.4, spells=1, minutes=60)
BY_EVENT = {
    "blank": (Trouble(usual=0.002, during=0.1, spells=1, minutes=15), 1.0),
    "disliked": (Trouble(usual=0.1), 0.02),  # 2 % of conversations are rated
    "slow": (SLOW, 1.0),
    "costly": (Trouble(usual=0.01, bursts=2), 1.0),
}
GATES = {gate.event: gate for gate in PLAN.harms}
ONLY_ERRORS = replace(PLAN, harms=(GATES["error"],))
NEVER = 10**9


class _Floors:
    """Which ramps the floor under the share of errors takes back.

    What it could not take back is sorted out for all together, the rest is asked.
    """

    def __init__(self, ramps: int) -> None:
        self.has_fired = np.zeros(ramps, dtype=bool)
        self._span = int(PLAN.floors["floor_window_s"]) // PLAN.window_s
        self._before = np.zeros((4, self._span - 1, ramps), dtype=int)

    def add(self, windows: Windows) -> None:
        arms = np.stack([windows.n_t, windows.x_t, windows.n_c, windows.x_c])
        arms = np.concatenate([self._before, arms], axis=1)
        self._before = arms[:, -self._span + 1 :]
        sums = np.cumsum(arms, axis=1)
        sums[:, self._span :] -= sums[:, : -self._span].copy()
        n_t, x_t, n_c, x_c = sums[:, self._span - 1 :]
        suspects = (x_t >= PLAN.floors["failed_conversations"]) & (
            x_t >= PLAN.floors["error_ratio"] * n_t
        )
        suspects &= x_c < PLAN.floors["control_error_ratio"] * np.maximum(n_c, 1)
        suspects &= ~self.has_fired
        for row, ramp in np.argwhere(suspects).tolist():
            facts = Facts(
                treatment=arm(int(n_t[row, ramp]), int(x_t[row, ramp])),
                control=arm(int(n_c[row, ramp]), int(x_c[row, ramp])),
            )
            self.has_fired[ramp] |= any(
                reading.verdict is Verdict.FAIL and reading.action is Action.ROLL_BACK
                for reading in floors.readings(facts, PLAN)
            )


def _alarms(gate: Harm, trouble: Trouble, *, ramps: int, volume: float = 1.0) -> int:
    dice = np.random.default_rng(31)
    evidence = Evidence(gate, ramps)
    for windows in traffic(dice, ramps, trouble, volume=volume):
        evidence.add(windows)
    return int(np.sum(evidence.peak >= 1 / gate.alpha))


def test_of_2000_healthy_ramps_few_are_rolled_back() -> None:
    dice = np.random.default_rng(30)
    evidence, below = Evidence(GATES["error"], 2_000), _Floors(2_000)

    for windows in traffic(dice, 2_000, OUTAGES):
        evidence.add(windows)
        below.add(windows)

    rolled_back = (evidence.peak >= 1 / GATES["error"].alpha) | below.has_fired
    assert np.sum(rolled_back) <= 30  # 1.5 %
    assert np.sum(below.has_fired) <= 10


@pytest.mark.parametrize("event", BY_EVENT)
def test_the_other_gates_leave_healthy_ramps_alone(event: str) -> None:
    trouble, volume = BY_EVENT[event]

    assert _alarms(GATES[event], trouble, ramps=600, volume=volume) <= 6


def test_many_ramps_at_once_gather_what_the_gate_gathers() -> None:
    dice = np.random.default_rng(32)
    evidence, pairs = Evidence(GATES["error"], 3), list[Drawn]()
    for windows in traffic(dice, 3, replace(OUTAGES, usual=0.01)):
        evidence.add(windows)
        pairs += windows.pairs(2, "error")

    knowledge = learning.of(pairs, ONLY_ERRORS)

    assert len(pairs) == 9 * 1440
    assert knowledge.harms["errors"].peak == pytest.approx(evidence.peak[2], rel=1e-9)


# --- A short ramp, gate by gate -------------------------------------------------------


def _short_ramp(*, ratio: float) -> Knowledge:
    """Go through four phases of three hours; treatment fails `ratio` × 1 %."""
    dice, pairs = np.random.default_rng(34), list[Drawn]()
    for index, phase in enumerate(PLAN.phases[:4]):
        part = float(phase.percent) / 100
        for _ in range(180):
            drawn = dice.multinomial(dice.poisson(33), (part, 1 - part)).tolist()
            happened = dice.binomial(drawn, (0.01 * ratio, 0.01)).tolist()
            treatment, control = (
                ArmCounts(assigned_count=n, conversation_count=n, error_count=x)
                for n, x in zip(drawn, happened, strict=True)
            )
            pairs.append(
                Drawn(
                    phase_index=index,
                    percent=phase.percent,
                    treatment=treatment,
                    control=control,
                )
            )
    return learning.of(pairs, PLAN)


@pytest.mark.parametrize(("ratio", "failing"), [(1, []), (8, ["errors"])])
def test_a_short_ramp_is_told_from_a_harmful_one(
    ratio: float, failing: list[str]
) -> None:
    knowledge = _short_ramp(ratio=ratio)

    found = [
        *harms.readings(knowledge, PLAN),
        *integrity.readings(knowledge, PLAN),
    ]

    assert [r.key for r in found if r.verdict is Verdict.FAIL] == failing
    assert knowledge.harms["errors"].starts == 4
    assert knowledge.units_in(3) > 2_500


# --- Harm -----------------------------------------------------------------------------


def _until_found(
    dice: np.random.Generator, phase_index: int, *, ratio: float
) -> tuple[int, int]:
    """Return treatment's conversations, and the failed ones, until errors fail.

    Every conversation is one message; treatment fails `ratio` × 0.5 % from the start.
    """
    plan, knowledge, seen, failed = ONLY_ERRORS, Knowledge(), 0, 0
    percent = plan.percent_of(phase_index)
    part, messages = float(percent) / 100, 2_000 * plan.window_s / 3_600
    shares = np.array([min(1, 0.005 * ratio), 0.005])
    for _ in range(2 * plan.phases[phase_index].dwell_s // plan.window_s):
        active = dice.poisson((messages * part, messages * (1 - part)))
        (n_t, n_c), (x_t, x_c) = active.tolist(), dice.binomial(active, shares).tolist()
        pair = Drawn(
            phase_index=phase_index,
            percent=percent,
            treatment=ArmCounts(conversation_count=n_t, error_count=x_t),
            control=ArmCounts(conversation_count=n_c, error_count=x_c),
        )
        knowledge = learning.step(knowledge, plan, pair)
        seen, failed = seen + n_t, failed + x_t
        (found,) = harms.readings(knowledge, plan) if x_t else [None]
        if found and found.is_firing:
            return seen, failed
    return NEVER, NEVER


def _p90(phase_index: int, *, ratio: float, runs: int) -> tuple[int, int]:
    """Return what nine of ten ramps need in a phase."""
    dice = np.random.default_rng(33)
    found = [_until_found(dice, phase_index, ratio=ratio) for _ in range(runs)]
    seen, failed = np.percentile(found, 90, axis=0, method="higher")
    return int(seen), int(failed)


@pytest.mark.parametrize(("phase_index", "goal"), [(0, 260), (1, 310), (3, 700)])
def test_a_tenfold_jump_is_found_within_the_goal(phase_index: int, goal: int) -> None:
    seen, _ = _p90(phase_index, ratio=10, runs=300)

    assert seen <= goal


@pytest.mark.parametrize(("phase_index", "goal"), [(0, 8), (1, 12), (2, 18), (3, 32)])
def test_gross_failure_is_found_within_a_few_failed_messages(
    phase_index: int, goal: int
) -> None:
    _, failed = _p90(phase_index, ratio=100, runs=300)

    assert failed <= goal
