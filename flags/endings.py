"""How a rollout ends, which takes no plan: switched off, rolled back, confirmed."""

from datetime import timedelta
from decimal import Decimal

from flags.situation import Move, Outcome, Situation, State, stay, to

VERIFY_WITHIN = timedelta(seconds=60)


def ending(now: Situation) -> Outcome | None:
    """Return how it ends, where that takes no plan; None: it goes on."""
    if now.state is State.ROLLING_BACK:
        return _verify(now)
    if now.state is State.ROLLED_BACK:
        return stay(now, "It was rolled back and stays so.")
    if now.percent > 0 and not now.is_exposed:
        return roll_back(now, "somebody switched the flag off.")
    if now.switched_off_by and now.phase_since is None:
        why = f"{now.switched_off_by} switched the flag off before it began."
        return roll_back(now, why)
    return None


def roll_back(now: Situation, why: str) -> Outcome:
    """Take it from everybody."""
    return _take(now, Move.ROLL_BACK, f"Rolled back to 0 %: {why}")


def _verify(now: Situation) -> Outcome:
    """Believe that a rollback worked when no turn is begun persistently any more."""
    if now.flag_percent > 0:
        return _escalate(now, f"The flag still gives {now.flag_percent} %.")
    if now.persistent_count is None:
        return stay(now, "Whether anybody is still exposed is not known yet.")
    if now.persistent_count == 0:
        return to(
            now,
            Move.CONFIRM,
            State.ROLLED_BACK,
            "No turn was begun with a persistent session since: it is rolled back.",
        )
    if now.now - now.state_since < VERIFY_WITHIN:
        return stay(now, f"{now.persistent_count} turns were still persistent.")
    return _escalate(
        now, f"{now.persistent_count} turns were begun persistently after the rollback."
    )


def _escalate(now: Situation, why: str) -> Outcome:
    return _take(now, Move.ESCALATE, f"The kill switch is used: {why}")


def _take(now: Situation, move: Move, sentence: str) -> Outcome:
    return Outcome(
        move=move,
        state=State.ROLLING_BACK,
        percent=Decimal(0),
        phase_index=now.phase_index,
        sentence=sentence,
    )
