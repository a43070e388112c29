"""Standing still, and going on."""

from flags import gathering
from flags.errors import RolloutRefused
from flags.intents.scene import CLIMBING, Intent, Scene, require, so_already
from flags.situation import Move, State


def pause(scene: Scene) -> Intent:
    """Stand still until somebody resumes it; floors and harm gates go on."""
    outcome = scene.outcome(
        Move.PAUSE, f"{scene.by} paused it: {scene.reason}", state=State.PAUSED
    )
    if scene.state is State.PAUSED:
        return so_already(scene, "It is paused already.")
    require(scene, "pause", CLIMBING)
    return Intent(outcome=outcome)


def resume(scene: Scene) -> Intent:
    """Go on after a pause, at what the flag gives now if that is less."""
    has_begun = scene.rollout.phase_since is not None
    given = gathering.flag_percent()
    outcome = scene.outcome(
        Move.RESUME,
        f"{scene.by} resumed it: {scene.reason}",
        state=State.RAMPING if has_begun else State.ARMED,
        percent=min(given, scene.rollout.percent),
    )
    if scene.state in CLIMBING:
        words = f"It goes on already: it is {scene.word}, not paused."
        return so_already(scene, words)
    require(scene, "resume", frozenset({State.PAUSED}))
    if has_begun and not given:
        raise RolloutRefused(
            "The flag was switched off meanwhile, so the next tick rolls it back: it "
            "can't be resumed. Start another rollout when it is time."
        )
    return Intent(outcome=outcome)
