"""What the rollout's verbs share: which rollout, whose order, how it is told."""

import math
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from flags import console, rollouts
from flags.conf import FLAG
from flags.errors import UnknownRollout
from flags.models import Decision, Rollout
from flags.rollouts import Order


def newest(rollout_id: int | None = None) -> Rollout:
    """Return a rollout, the newest if none is named. Raises: UnknownRollout."""
    if rollout_id is not None:
        return rollouts.find(rollout_id)
    every = Rollout.objects.filter(flag=FLAG).select_related("plan")
    found = every.order_by("-id").first()
    if found is None:
        raise UnknownRollout(
            "No rollout was ever started: `manage.py rollout start --plan guide "
            '--reason "…"` starts one.'
        )
    return found


def order(options: dict[str, Any]) -> Order:
    """Return who asks, and why."""
    return Order(actor=console.operator(), reason=options.get("reason") or "")


def add_rollout(parser: ArgumentParser) -> None:
    """Take `--rollout`."""
    parser.add_argument(
        "--rollout", type=int, metavar="N", help="an older one; the newest if not given"
    )


def moment(text: str) -> datetime:
    """Return a moment; without a zone it is UTC. Raises: ArgumentTypeError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            f"{text!r} is no moment: write it as 2026-11-26T14:00 (UTC)."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def seconds(text: str) -> float:
    """Return so many seconds, 0 or more. Raises: ArgumentTypeError."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise ArgumentTypeError(f"{text!r}: a number of seconds, 0 or more, is needed.")
    return found


def decision_as_json(decision: Decision) -> dict[str, Any]:
    """Return a decision for programs."""
    return {
        "rollout": decision.rollout_id,
        "number": decision.number,
        "at": decision.at.isoformat(),
        "action": decision.action,
        "actor": decision.actor,
        "channel": decision.channel,
        "reason": decision.reason,
        "sentence": decision.sentence,
        "state": [decision.state_before, decision.state_after],
        "percent": [float(decision.percent_before), float(decision.percent_after)],
        "phase": decision.phase_index + 1,
    }
