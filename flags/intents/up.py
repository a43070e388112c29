"""Going on to the next phase before its time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from flags import controller, permits
from flags.errors import InvalidValue, RolloutRefused
from flags.intents.scene import CLIMBING, Intent, Scene, require, so_already
from flags.permits import Obstacle
from flags.situation import Move, Outcome

REPEAT = timedelta(minutes=1)


def advance(
    scene: Scene, *, overriding: Sequence[str] = (), to_phase: int | None = None
) -> Intent:
    """Begin the next phase now, whatever time is left.

    `overriding` are the keys of what has not been shown and does not count this time;
    `to_phase` is the phase that is meant, from 1: with it a repetition does no harm.
    """
    if words := _was_advanced(scene, to_phase):
        return so_already(scene, words)
    require(scene, "advance", CLIMBING)
    found = permits.obstacles(scene.situation)
    up = controller.ascend(scene.situation)
    _require_next(up, to_phase)
    _require_known(overriding, found)
    given = [each.key for each in found if each.key in overriding]
    return Intent(
        outcome=replace(up, sentence=_sentence(scene, up, given)),
        inputs={"overridden": given},
        readings=[each.as_json() for each in scene.situation.readings],
        obstacles=[each for each in found if each.key not in given],
    )


def _sentence(scene: Scene, up: Outcome, overridden: Sequence[str]) -> str:
    is_end = up.move is Move.COMPLETE
    what = "completed it" if is_end else f"began phase {up.phase_index + 1}"
    although = f", although not shown: {', '.join(overridden)}" if overridden else ""
    return (
        f"{scene.by} {what}: {scene.rollout.percent} → {up.percent} %{although}. "
        f"{scene.reason}"
    )


def _was_advanced(scene: Scene, to_phase: int | None) -> str:
    """Return that the phase has begun; a repetition must not begin another one."""
    rollout = scene.rollout
    if rollout.phase_since is None:
        return ""
    number, since = rollout.phase_index + 1, scene.now - rollout.phase_since
    if to_phase == number and rollout.percent >= scene.plan.percent_of(number - 1):
        return f"Phase {number} has begun already."
    last = rollout.decisions.exclude(action=Move.NONE).order_by("-number").first()
    is_step = last is not None and last.action in {Move.BEGIN, Move.ADVANCE}
    if to_phase is None and is_step and since < REPEAT:
        return (
            f"Phase {number} began {since.total_seconds():.0f} s ago: another one can "
            f"begin {REPEAT.seconds} s after it."
        )
    return ""


def _require_next(up: Outcome, to_phase: int | None) -> None:
    """Raises: RolloutRefused."""
    is_end = up.move is Move.COMPLETE
    if to_phase is not None and (is_end or to_phase != up.phase_index + 1):
        following = "the end" if is_end else f"phase {up.phase_index + 1}"
        raise RolloutRefused(
            f"Phase {to_phase} does not come next: one phase at a time, and next is "
            f"{following}."
        )


def _require_known(overriding: Sequence[str], found: Sequence[Obstacle]) -> None:
    """Raises: RolloutRefused, InvalidValue."""
    by_key = {each.key: each for each in reversed(found)}
    for key in overriding:
        obstacle = by_key.get(key)
        if obstacle is None:
            open_ones = ", ".join(k for k, o in by_key.items() if o.is_overridable)
            raise InvalidValue(
                f"Nothing that is called {key!r} stands in the way. What does, and may "
                f"be overridden: {open_ones or 'nothing'}."
            )
        if not obstacle.is_overridable:
            raise RolloutRefused(f"Nobody may override {key}: {obstacle.sentence}")
