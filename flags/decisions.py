"""The log of a rollout's decisions: only added to, and each holds the last one's hash.

Who changes or removes one breaks the chain from there on, and `verify` says where.

What the gates said is kept in full where something was done or a verdict is new, and
else every 20th time; every decision has the SHA-256 of it. `recalling` gives it back.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from flags.changes import Actor
from flags.models import Decision, Rollout
from flags.situation import Move, Outcome

KEPT_EVERY = 20
_HASHED = (
    *("rollout_id", "number", "action", "actor", "channel", "reason", "sentence"),
    *("state_before", "state_after", "phase_index", "inputs", "readings", "release"),
    "previous_hash",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Who decides and why: what was looked at, and what the gates said of it."""

    actor: Actor
    reason: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    readings: Sequence[Mapping[str, Any]] = ()


def append(
    before: Rollout,
    outcome: Outcome,
    *,
    at: datetime,
    grounds: Grounds,
) -> Decision:
    """Add a decision, in the transaction that carries it out and has the row locked.

    `before` is the rollout as it was.
    """
    last = before.decisions.order_by("-number").first()
    number = last.number + 1 if last else 1
    inputs, readings = _plain(grounds.inputs), _plain(grounds.readings)
    if readings:
        earlier = _kept_by(last, outcome, readings)
        inputs["readings"] = {"sha256": digest(readings), "kept_by": earlier or number}
        readings = [] if earlier else readings
    decision = Decision(
        rollout=before,
        number=number,
        at=at,
        action=outcome.move,
        actor=grounds.actor.name,
        channel=grounds.actor.channel,
        reason=grounds.reason,
        sentence=outcome.sentence,
        state_before=before.state,
        state_after=outcome.state,
        percent_before=before.percent,
        percent_after=outcome.percent,
        phase_index=outcome.phase_index,
        inputs=inputs,
        readings=readings,
        release=settings.VERSION,
        previous_hash=last.hash if last else "",
    )
    decision.hash = _hash(decision)
    decision.save()
    return decision


def verify(rollout: Rollout) -> Iterator[str]:
    """Yield a sentence for each decision that is not as it was written; none: whole."""
    # Each change of the row adds one; read first, so that a tick meanwhile is no fault.
    version = Rollout.objects.values_list("version", flat=True).get(pk=rollout.pk)
    number, previous_hash = 0, ""
    for decision in rollout.decisions.order_by("number").iterator():
        number += 1
        if decision.number != number:
            yield f"Decision {number} is missing: next comes {decision.number}."
            number = decision.number
        elif decision.previous_hash != previous_hash:
            yield f"Decision {number} does not follow the one before it."
        if decision.hash != _hash(decision):
            yield f"Decision {number} was changed after it was written."
        previous_hash = decision.hash
    if number < version:
        yield f"The newest decisions are missing: {number} of {version} are there."


def digest(readings: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of what the gates said."""
    return _sha256(comparable(list(readings)))


def keeper(decision: Decision) -> Decision | None:
    """Return the decision that keeps such readings in full; None: there are none.

    It is this one, or an earlier one with the same verdicts.
    """
    if decision.readings:
        return decision
    number = decision.inputs.get("readings", {}).get("kept_by")
    same_rollout = Decision.objects.filter(rollout_id=decision.rollout_id)
    return same_rollout.filter(number=number).first() if number else None


def _kept_by(
    last: Decision | None, outcome: Outcome, readings: Sequence[Mapping[str, Any]]
) -> int | None:
    """Return which earlier decision keeps the same verdicts; None: they are news."""
    if last is None or outcome.move is not Move.NONE:
        return None
    kept = keeper(last)
    if kept is None or last.number + 1 >= kept.number + KEPT_EVERY:
        return None
    is_same = _verdicts(kept.readings) == _verdicts(readings)
    return kept.number if is_same else None


def _verdicts(readings: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    return [(each["key"], each["verdict"], each["action"]) for each in readings]


def _hash(decision: Decision) -> str:
    """Return the SHA-256 of all that it says."""
    said = {name: comparable(getattr(decision, name)) for name in _HASHED}
    said |= {
        "at": decision.at.isoformat(),
        "percents": [
            f"{Decimal(decision.percent_before):.2f}",
            f"{Decimal(decision.percent_after):.2f}",
        ],
    }
    return _sha256(said)


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def comparable(value: Any) -> Any:
    """Return numbers as texts: a database may write 1e22 as 10000000000000000000000."""
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Nor does every database keep the sign of a zero.
    return repr(float(value) + 0.0) if is_number else value


def _plain(value: Any) -> Any:
    """Return what the database will give back: JSON knows no decimals and moments."""
    return json.loads(json.dumps(value, default=str))
