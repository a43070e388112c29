"""What people do with a rollout: each verb previewed, compared, decided, recorded.

Every verb may be repeated: what is so already stays so, and says it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import transaction

from flags import acting, changes, effects, rollouts
from flags.conf import FLAG
from flags.decisions import Grounds
from flags.errors import Conflict, ReasonMissing, RolloutRefused
from flags.intents import down, standing, up, waiting
from flags.intents.scene import Intent, Scene
from flags.models import Change, Decision, Rollout
from flags.permits import Obstacle
from flags.rollouts import Order
from flags.situation import Move, Outcome

log = structlog.get_logger(__name__)

_TRIES = 5  # ticks may come in between


VERBS: Mapping[str, Callable[..., Intent]] = {
    "advance": up.advance,
    "pause": standing.pause,
    "resume": standing.resume,
    "hold": waiting.hold,
    "release": waiting.release,
    "halve": down.halve,
    "roll_back": down.roll_back,
    "request_approval": waiting.request_approval,
    "approve": waiting.approve,
}
_NEED_NO_REASON = {"approve"}
# Nobody gets more by these, so no news may stand in their way.
_NEVER_TOO_LATE = {"pause", "hold", "halve", "roll_back"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of an order. Not `is_new`: it was so already, and nothing changed.

    `decision` is the newest; None: there was none yet.
    """

    decision: Decision | None
    is_new: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an order would do. `sentences` say what it means for conversations.

    `already`: it is so already, in words. `obstacles` must be cleared away, or named
    as overridden, before it is carried out. `version` is the one to be seen with it.
    """

    outcome: Outcome
    sentences: Sequence[str]
    already: str
    obstacles: Sequence[Obstacle]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What a kill changed; nothing where it was off already.

    `decision` ends the rollout; None: there is none, or it could not be recorded, and
    the next tick does that.
    """

    changes: Sequence[Change]
    decision: Decision | None


def preview(
    verb: str,
    rollout: Rollout,
    order: Order,
    *,
    now: datetime,
    seen_version: int | None = None,
    **options: Any,
) -> Preview:
    """Say what an order would do; changes nothing, and needs no reason.

    The options are those of the verb of that name. Raises: FlagsError.
    """
    fresh = _newest(verb, rollout, seen_version)
    scene = Scene(
        rollout=fresh, by=order.actor.name, reason=order.reason.strip(), now=now
    )
    intent = VERBS[verb](scene, **options)
    sentences = [] if intent.already else effects.of(fresh, intent.outcome, now)
    return Preview(
        outcome=intent.outcome,
        sentences=sentences,
        already=intent.already,
        obstacles=intent.obstacles,
        version=fresh.version,
    )


def give(
    verb: str,
    rollout: Rollout,
    order: Order,
    *,
    now: datetime,
    seen_version: int | None = None,
    **options: Any,
) -> Answer:
    """Carry an order out and record it, unless it is so already.

    `seen_version` is the rollout's when the person decided: what others, or the
    automation, have changed since is a Conflict, unless the order takes it down or
    keeps it where it is; ticks that changed nothing are none. Raises: FlagsError.
    """
    order = _storable(order)
    if not order.reason and verb not in _NEED_NO_REASON:
        raise ReasonMissing("Say why: the reason is kept with the decision.")
    for _ in range(_TRIES):
        fresh = _newest(verb, rollout, seen_version)
        scene = Scene(rollout=fresh, by=order.actor.name, reason=order.reason, now=now)
        intent = VERBS[verb](scene, **options)
        if intent.already:
            last = fresh.decisions.order_by("-number").first()
            return Answer(decision=last, is_new=False, sentence=intent.already)
        _require_clear(verb, intent.obstacles)
        if decision := _carry_out(verb, scene, intent, order):
            return Answer(decision=decision, is_new=True, sentence=decision.sentence)
    raise Conflict(
        "Ticks came in between again and again: nothing was done; try again."
    )


advance = partial(give, "advance")
pause = partial(give, "pause")
resume = partial(give, "resume")
hold = partial(give, "hold")
release = partial(give, "release")
halve = partial(give, "halve")
roll_back = partial(give, "roll_back")
request_approval = partial(give, "request_approval")
approve = partial(give, "approve")


def kill(order: Order, *, now: datetime) -> Killed:
    """Switch the feature off for everybody, whatever else is wrong; no reason needed.

    The flag first, on its own; then the rollout's record, if that can be written.
    """
    order = _storable(order)
    done = changes.kill(actor=order.actor, reason=order.reason)
    try:
        with transaction.atomic():
            decision = _end(order, now)
    except Exception:
        log.exception("rollout.kill_unrecorded")
        decision = None
        if not done:
            _keep_off(order)
    return Killed(changes=done, decision=decision)


def _keep_off(order: Order) -> None:
    """Leave word that it stays off: the next tick must not begin what waits."""
    try:
        changes.keep_off(actor=order.actor, reason=order.reason)
    except Exception:
        log.exception("rollout.kill_unsaid")


def _end(order: Order, now: datetime) -> Decision | None:
    rollout = rollouts.watched()
    if rollout is None:
        return None
    reason = order.reason or "Kill switch."
    answer = roll_back(rollout, replace(order, reason=reason), now=now)
    return answer.decision if answer.is_new else None


def _newest(verb: str, rollout: Rollout, seen_version: int | None) -> Rollout:
    """Read it anew. Raises: UnknownRollout, RolloutRefused, Conflict."""
    fresh = rollouts.find(rollout.pk)
    later = Rollout.objects.filter(flag=FLAG, pk__gt=fresh.pk).order_by("-id").first()
    if later:
        raise RolloutRefused(
            f"Rollout {fresh.pk} is over: rollout {later.pk} came after it."
        )
    if seen_version is not None and verb not in _NEVER_TOO_LATE:
        _require_seen(fresh, seen_version)
    return fresh


def _require_seen(rollout: Rollout, seen_version: int) -> None:
    """Each change of the row adds one decision: the version is the newest's number.

    Raises: Conflict.
    """
    since = rollout.decisions.filter(number__gt=seen_version).exclude(action=Move.NONE)
    if news := [f"{each.at:%H:%M:%S} UTC {each.sentence}" for each in since[:5]]:
        raise Conflict(
            f"It was changed since you looked: {' '.join(news)} Look again, then "
            f"decide."
        )


def _require_clear(verb: str, obstacles: Sequence[Obstacle]) -> None:
    """Raises: RolloutRefused, saying what is in the way and what may be overridden."""
    if not obstacles:
        return
    keys = [each.key for each in obstacles if each.is_overridable]
    words = " ".join(each.sentence for each in obstacles)
    how = f" To go on in spite of it, override: {', '.join(keys)}." if keys else ""
    if any(not each.is_overridable for each in obstacles):
        how = ""
    raise RolloutRefused(f"It can't {verb} now. {words}{how}")


def _carry_out(
    verb: str, scene: Scene, intent: Intent, order: Order
) -> Decision | None:
    return acting.carry_out(
        scene.rollout,
        intent.outcome,
        at=scene.now,
        grounds=Grounds(
            actor=order.actor,
            reason=order.reason,
            inputs={"verb": verb, **intent.inputs},
            readings=intent.readings,
        ),
        along=intent.along,
    )


def _storable(order: Order) -> Order:
    name = changes.storable(order.actor.name)[: changes.MAX_ACTOR_CHARS]
    return Order(
        actor=replace(order.actor, name=name),
        reason=changes.storable(order.reason).strip(),
    )
