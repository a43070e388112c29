"""Turns that ended at given moments, and what a rollout is told of them."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from chat.models import Conversation, Generation, Message, VariantChange
from chat.observations import ChatObservations
from flags.observations import ArmCounts
from tests.chat import stored

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 5, 5, tzinfo=UTC)
STEP_S = 30
STEP = timedelta(seconds=STEP_S)
SLOW_MS, COSTLY = 3000.0, 2000.0
LIMITS: dict[str, Any] = {"slow_ms": SLOW_MS, "costly_tokens": COSTLY}


def ended(
    of: Conversation,
    moment: datetime,
    *,
    variant: str = "on",
    took_s: float = 2,
    **fields: Any,
) -> Generation:
    """Add a turn that ended at a moment."""
    message = of.messages.first() or Message.objects.create(
        conversation=of, role="assistant", status="complete"
    )
    return stored.attempt(
        message,
        **{"variant_reason": "SPLIT"} | fields,
        variant=variant,
        created_at=moment - timedelta(seconds=took_s),
        ended_at=moment,
    )


def at(seconds: float, *, since: datetime = NOON) -> datetime:
    return since + timedelta(seconds=seconds)


def window(begin: datetime = NOON, *, length: timedelta = STEP) -> ArmCounts:
    """Count the treatment in a window."""
    return both(begin, length=length)["on"]


def both(begin: datetime = NOON, *, length: timedelta = STEP) -> dict[str, ArmCounts]:
    """Count both arms in a window."""
    [found] = ChatObservations().windows(
        begin, begin + length, step_s=length.total_seconds(), **LIMITS
    )
    return found


def windows(count: int, *, begin: datetime = NOON) -> list[dict[str, ArmCounts]]:
    return ChatObservations().windows(
        begin, begin + count * STEP, step_s=STEP_S, **LIMITS
    )


def traffic(seed: int, *, begin: datetime, seconds: int, turns: int) -> None:
    """Add the turns of some conversations, some of which change their variant."""
    rng = random.Random(seed)
    endings = [("complete", "", "")] * 12 + [
        ("stopped", "", ""),
        ("failed", "GEMINI_TIMEOUT", "total_deadline"),
        ("interrupted", "SERVICE_UNAVAILABLE", "process_ended"),
        ("interrupted", "SERVICE_UNAVAILABLE", "shutting_down"),
        ("blocked", "RESPONSE_BLOCKED", "safety"),
        ("failed", "GEMINI_API_ERROR", "empty"),
    ]
    everybody = [stored.conversation() for _ in range(turns // 10)]
    variants = {of.pk: rng.choice(["on", "off", "off", ""]) for of in everybody}
    for at_s in sorted(rng.uniform(-seconds, seconds) for _ in range(turns)):
        of = rng.choice(everybody)
        held = variants[of.pk]
        moment = at(at_s, since=begin)
        if held and rng.random() < 0.02:
            variants[of.pk] = "off" if held == "on" else "on"
            VariantChange.objects.create(
                conversation=of,
                old=held,
                new=variants[of.pk],
                reason="DISABLED",
                created_at=moment - timedelta(seconds=1.9),
            )
        status, code, reason = rng.choice(endings)
        ended(
            of,
            moment,
            variant=variants[of.pk],
            variant_reason=rng.choice(["SPLIT", "SPLIT", "DEFAULT", "ERROR"]),
            status=status,
            error_code=code,
            error_reason=reason,
            strategy=rng.choice(["history", "stateless"]),
            session_outcome=rng.choice(["created", "hit", "recovered", ""]),
            duration_ms=rng.choice([None, rng.lognormvariate(7.7, 0.5)]),
            prompt_tokens=rng.choice([None, rng.randint(500, 6000)]),
            cached_tokens=rng.randint(0, 400),
        )
