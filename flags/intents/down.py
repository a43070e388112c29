"""Giving it to fewer, or to nobody."""

from decimal import Decimal

from flags import controller, gathering
from flags.errors import RolloutRefused
from flags.intents.scene import Intent, Scene, require, so_already
from flags.situation import Move, State

_GIVEN = frozenset({State.RAMPING, State.HELD, State.PAUSED, State.COMPLETED})


def halve(scene: Scene, *, is_again: bool = False) -> Intent:
    """Give it to half as many, and stay there until the gates let it go on."""
    if not is_again and (words := _was_halved(scene)):
        return so_already(scene, words)
    require(scene, "halve", _GIVEN)
    old = min(scene.rollout.percent, gathering.flag_percent())
    half = controller.half_of(old)
    if not half:
        raise RolloutRefused(
            f"Half of {old} % is nothing: roll it back (`rollback`) instead."
        )
    sentence = f"{scene.by} halved it from {old} to {half} %: {scene.reason}"
    is_paused = scene.state is State.PAUSED
    return Intent(
        outcome=scene.outcome(
            Move.HALVE,
            sentence,
            state=State.PAUSED if is_paused else State.HELD,
            percent=half,
            is_measure=True,
        )
    )


def _was_halved(scene: Scene) -> str:
    """Return when, if it was so a short time ago and has stayed so."""
    moved = scene.rollout.decisions.exclude(action=Move.NONE)
    last = moved.filter(action__in=[Move.HALVE, Move.ADVANCE, Move.COMPLETE])
    halved = last.order_by("-number").first()
    if (
        halved is None
        or halved.action != Move.HALVE
        or scene.now - halved.at >= controller.HALVE_PAUSE
        or halved.percent_after != scene.rollout.percent
    ):
        return ""
    minutes = int((scene.now - halved.at).total_seconds() // 60)
    when = f"{minutes} min ago" if minutes else "just now"
    return (
        f"{halved.actor} halved it {when}, to {halved.percent_after} %: that is done "
        f"at most once in {controller.HALVE_PAUSE.seconds // 60} minutes."
    )


def roll_back(scene: Scene) -> Intent:
    """Take it from everybody, and end the rollout."""
    old = scene.rollout.percent
    where = f"from {old} to 0 %" if old else "to 0 %"
    outcome = scene.outcome(
        Move.ROLL_BACK,
        f"{scene.by} rolled it back {where}: {scene.reason}",
        state=State.ROLLING_BACK,
        percent=Decimal(0),
    )
    if scene.state in {State.ROLLING_BACK, State.ROLLED_BACK}:
        return so_already(scene, f"It is {scene.word} already.")
    return Intent(outcome=outcome)
