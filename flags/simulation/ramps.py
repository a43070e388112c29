"""A whole ramp in simulated time, through the gates and the controller themselves."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from flags import controller, judging
from flags.gates import learning
from flags.gates.knowledge import Knowledge, Sighting
from flags.judging import Evidence
from flags.plans import Action, Plan
from flags.simulation.traffic import Phase, Recent, Traffic, faults_at
from flags.simulation.world import World
from flags.situation import Move, Outcome, Situation, State

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_NEW_PHASE = {Move.BEGIN, Move.ADVANCE, Move.HALVE}
# Somebody must decide there, or nothing is left to decide.
_OVER = {State.ROLLING_BACK, State.PAUSED, State.COMPLETED}
_WELL = Sighting(at=_BEGIN, health="healthy", database="healthy", memory_percent=30.0)


@dataclass(frozen=True, slots=True)
class Step:
    """Something changed, so long after the begin."""

    at_s: float
    move: Move
    percent: Decimal
    phase_index: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """How a ramp went.

    `phase_s` is how long each phase took; None: it was not left for the next one. The
    three counts are of treatment conversations: all; those since a fault began; and
    those of the latter that failed. `fault_s` is when the first fault began.
    """

    steps: tuple[Step, ...]
    ended: State
    seconds: float
    phase_s: tuple[float | None, ...]
    treated_count: int
    exposed_count: int = 0
    failed_count: int = 0
    fault_s: float | None = None

    def has(self, *moves: Move) -> bool:
        """Tell whether one of these was made."""
        return any(step.move in moves for step in self.steps)

    @property
    def found_s(self) -> float | None:
        """How long after its begin a fault was acted on; None: it was not."""
        if self.fault_s is None:
            return None
        acts = (Move.ROLL_BACK, Move.HALVE, Move.PAUSE)
        found = [step.at_s for step in self.steps if step.move in acts]
        later = [at_s for at_s in found if at_s >= self.fault_s]
        return later[0] - self.fault_s if later else None


def simulate(plan: Plan, world: World, *, seed: int) -> Ramp:
    """Follow a plan from its begin until it is complete or a person must act.

    One tick for each window. Ticks at which nothing can change the percent are left
    out: no gate fires, no look is due, and the phase lasts on. A ramp that is still
    waiting after all its phases and one extension ends as it is.
    """
    # What begins with everybody begins when all but the holdback get it.
    most = 100 - plan.holdback_percent
    faults = [replace(f, percent=min(f.percent, most)) for f in world.faults]
    dice = Random(seed)  # noqa: S311 - no secret
    run = _Run(plan, world.with_faults(faults), dice)
    while run.goes_on():
        run.tick()
        if run.goes_on():
            run.draw()
    return run.ramp()


@dataclass(slots=True)
class _Run:
    """Where a simulated ramp is."""

    plan: Plan
    world: World
    dice: Random
    now: Situation = field(init=False)
    knowledge: Knowledge = field(default_factory=Knowledge)
    steps: list[Step] = field(default_factory=list)
    traffic: Traffic = field(init=False)
    recent: Recent = field(init=False)
    phase: Phase = field(init=False)
    phase_s: list[float | None] = field(init=False)
    entered_s: float = 0.0
    treated: int = 0
    exposed: int = 0
    failed: int = 0
    fault_s: float | None = None

    def __post_init__(self) -> None:
        self.now = Situation(
            now=_BEGIN,
            plan=self.plan,
            state=State.ARMED,
            phase_index=0,
            percent=Decimal(0),
            state_since=_BEGIN,
            phase_since=None,
            starts_at=_BEGIN,
            flag_percent=Decimal(0),
        )
        self.traffic = Traffic(self.plan, self.world, self.dice)
        self.recent = Recent(self.plan)
        self.phase = self._new_phase()
        self.phase_s = [None] * len(self.plan.phases)

    @property
    def at_s(self) -> float:
        return (self.now.now - _BEGIN).total_seconds()

    def goes_on(self) -> bool:
        longest_s = sum(phase.dwell_s for phase in self.plan.phases)
        is_late = self.at_s > longest_s + self.plan.max_extension_s
        return self.now.state not in _OVER and not is_late

    def tick(self) -> None:
        if self._is_quiet():
            return
        look = judging.due_look(self.now, self.knowledge)
        seen = Evidence(
            sighting=replace(_WELL, at=self.now.now),
            recent=self.recent.arms(),
            phase=None if look is None else self.phase.look(),
        )
        judged = judging.judge(self.now, self.knowledge, seen)
        self.knowledge = judged.knowledge
        self._carry_out(controller.decide(judged.situation))

    def draw(self) -> None:
        """Let a window pass."""
        window = self.traffic.window(
            self.at_s, percent=self.now.percent, phase_index=self.now.phase_index
        )
        self.knowledge = learning.step(self.knowledge, self.plan, window)
        self.recent.add(window)
        self.phase.add(window)
        self.treated += window.treatment.conversation_count
        if faults_at(self.world, self.now.percent):
            self.fault_s = self.at_s if self.fault_s is None else self.fault_s
            self.exposed += window.treatment.conversation_count
            self.failed += window.treatment.error_count
        later = self.now.now + timedelta(seconds=self.plan.window_s)
        self.now = replace(self.now, now=later)

    def ramp(self) -> Ramp:
        return Ramp(
            steps=tuple(self.steps),
            ended=self.now.state,
            seconds=self.at_s,
            phase_s=tuple(self.phase_s),
            treated_count=self.treated,
            exposed_count=self.exposed,
            failed_count=self.failed,
            fault_s=self.fault_s,
        )

    def _is_quiet(self) -> bool:
        """Tell whether no tick could change the percent now."""
        now, plan = self.now, self.plan
        if now.state is not State.RAMPING or now.phase_since is None:
            return False
        elapsed_s = (now.now - now.phase_since).total_seconds()
        return (
            elapsed_s < plan.phases[now.phase_index].dwell_s
            and self.recent.failed_count < plan.floors["failed_conversations"]
            and not self._is_any_gate_firing()
            and judging.due_look(now, self.knowledge) is None
        )

    def _is_any_gate_firing(self) -> bool:
        for gate in self.plan.harms:
            state = self.knowledge.harms.get(gate.key)
            if state is not None:
                is_final = gate.action is Action.ROLL_BACK
                evidence = state.peak if is_final else state.evidence
                if evidence * gate.alpha >= 1:
                    return True
        return False

    def _carry_out(self, outcome: Outcome) -> None:
        """Do what `flags.acting` does to a row."""
        now, move = self.now, outcome.move
        if move is Move.NONE:
            return
        if outcome.phase_index != now.phase_index or move is Move.COMPLETE:
            self.phase_s[now.phase_index] = self.at_s - self.entered_s
            self.entered_s = self.at_s
        self.steps.append(
            Step(
                self.at_s, move, outcome.percent, outcome.phase_index, outcome.sentence
            )
        )
        has_moved = outcome.state is not now.state
        self.now = replace(
            now,
            state=outcome.state,
            state_since=now.now if has_moved else now.state_since,
            phase_index=outcome.phase_index,
            phase_since=now.now if move in _NEW_PHASE else now.phase_since,
            percent=outcome.percent,
            flag_percent=outcome.percent,
            halved_at=now.now if outcome.is_measure else now.halved_at,
        )
        if move in _NEW_PHASE:
            self.phase = self._new_phase()

    def _new_phase(self) -> Phase:
        return Phase(self.traffic, self.now.percent, self.world.turns)
