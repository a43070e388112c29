"""What happens by itself, when, and how soon: the decision matrix of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass

from flags import controller, endings, windows
from flags.gates import words as figures
from flags.gates.floors import IN_A_ROW
from flags.plans import TICK_S, Action, Plan
from flags.rollout_pages import words


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: what is found, what is done then, and how soon."""

    trigger: str
    action: str
    deadline: str


def rules(plan: Plan) -> Sequence[Rule]:
    """Return what a plan makes of trouble, the gravest first."""
    floors = plan.floors
    in_a_row = (
        f"{(IN_A_ROW - 1) * TICK_S}–{IN_A_ROW * TICK_S}{words.SPACE}s after it began"
    )
    next_tick = f"at the next look, within {TICK_S}{words.SPACE}s"
    share, theirs = floors["error_ratio"], floors["control_error_ratio"]
    window_s = round(floors["floor_window_s"] / 60)
    return [
        Rule(
            f"The service or its database is unhealthy at {IN_A_ROW} looks in a row",
            "Rolls back",
            in_a_row,
        ),
        Rule(
            f"{figures.share(share)} or more of treatment conversations fail in "
            f"{window_s} min, at least {floors['failed_conversations']:.0f} of them, "
            f"and less than {figures.share(theirs)} of control",
            "Rolls back",
            next_tick,
        ),
        Rule(
            "The same, but control fails, too (it is the provider), or too few are "
            "known to tell it from chance",
            "Holds",
            next_tick,
        ),
        Rule(
            f"A typical answer takes more than {plan.slow_ms:,.0f}{words.SPACE}ms in "
            f"both arms: it is the provider",
            "Holds",
            next_tick,
        ),
        *_harms(plan),
        Rule(
            f"More than {floors['memory_percent']:.0f} % of memory is used at "
            f"{IN_A_ROW} looks in a row",
            f"Limits sessions and holds, until below "
            f"{floors['memory_clear_percent']:.0f} %",
            in_a_row,
        ),
        Rule(
            "The share of conversations that get it is not the one that was set",
            "Holds",
            _counted(plan, "draw"),
        ),
        Rule(
            "After a rollback, turns are still begun with a persistent session",
            "Uses the kill switch",
            f"{endings.VERIFY_WITHIN.seconds}{words.SPACE}s after the rollback",
        ),
    ]


def _harms(plan: Plan) -> list[Rule]:
    minutes = controller.HALVE_PAUSE.seconds // 60
    does = {
        Action.ROLL_BACK: "Rolls back",
        Action.HALVE: f"Halves, once in {minutes} min; below the first phase it "
        f"pauses, then rolls back",
    }
    return [
        Rule(
            f"{words.label(gate.key)}: evidence of harm reaches "
            f"{figures.evidence(1 / gate.alpha)}",
            does.get(gate.action, words.DOES[gate.action].capitalize()),
            _counted(plan, "turn"),
        )
        for gate in plan.harms
    ]


def _counted(plan: Plan, what: str) -> str:
    """Say how soon that is found which is counted by windows, at the longest."""
    longest_s = plan.window_s + windows.SETTLE.seconds + TICK_S
    return f"within {longest_s}{words.SPACE}s of the {what} that proves it"
