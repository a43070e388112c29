"""Puts each fault in, and says what must become of the rollout then."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from flags import plans
from flags.drills import Fault
from flags.plans import Phase, Plan
from oracle_site.drilling.copies import Copy
from oracle_site.drilling.people import People

TICK_EVERY_S = 2.0
FIRST_MS = 400.0
_SLOW_MS = 750.0
_PHASE_S = 30
# A phase's information must not be there yet when nobody says anything any more.
_MANY = 10_000
_SEEN = 12


@dataclass(frozen=True, slots=True)
class Course:
    """A fault's plan, in which phase it begins, and which moves are right after it.

    No moves: the rollout must stay where it is.
    """

    plan: Plan
    phase_index: int
    right: frozenset[str]

    @property
    def must_stay(self) -> bool:
        """Whether nothing may be widened, and nothing need be taken back."""
        return not self.right


def course(fault: Fault) -> Course:
    """Return how a fault is drilled."""
    if fault.kind == "latency":
        return Course(_plan(_SEEN), 1, frozenset({"halve", "pause", "roll_back"}))
    if fault.kind == "nodata":
        return Course(_plan(_MANY), 0, frozenset())
    if fault.kind == "beat-stop":
        return Course(_plan(_SEEN), 0, frozenset())
    return Course(_plan(_MANY), 0, frozenset({"roll_back"}))


def put_in(fault: Fault, copy: Copy, people: People) -> datetime:
    """Break it; return when."""
    match fault.kind:
        case "errors":
            # Who goes on persistently sends its turns one by one; others paste them.
            # A call that is refused before its first word is made again without.
            every = max(1, round(1 / fault.size))
            directive = "[[error_mid code=500 after=3]]"
            return copy.direct(directive=directive, every=every, min_turns=2)
        case "latency":
            directive = f"[[say first_ms={FIRST_MS * fault.size:.0f}]]"
            return copy.direct(directive=directive, every=1, min_turns=2)
        case "nodata":
            people.fall_silent()
        case "db":
            return copy.execute("ALTER TABLE monitoring_total RENAME TO lost_total")
        case _:
            copy.kill("ticks")
    return datetime.now(UTC)


def mend(fault: Fault, copy: Copy, plan: Plan) -> None:
    """Let ticks come again where they were stopped."""
    if fault.kind == "beat-stop":
        copy.begin(plan, every_s=TICK_EVERY_S)


def _plan(unit_count: int) -> Plan:
    """Return the guide's gates over phases of half a minute."""
    return replace(
        plans.GUIDE,
        name="drill",
        phases=tuple(
            Phase(percent=Decimal(percent), dwell_s=_PHASE_S, unit_count=unit_count)
            for percent in (30, 60, 100)
        ),
        window_s=5,
        slow_ms=_SLOW_MS,
    )
