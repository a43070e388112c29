"""Turns that began at given moments, put straight into the database."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, TypedDict

from chat.models import Generation
from monitoring.history import reading, recording
from monitoring.history.state import State
from tests.chat import stored

NOW = datetime.fromisoformat("2026-11-26T14:07:30+00:00")
LATER = NOW + timedelta(hours=1)


class Window(TypedDict):
    """From a moment to another one."""

    begin: datetime
    end: datetime


def ago(**span: float) -> datetime:
    """Return a moment before `NOW`."""
    return NOW - timedelta(**span)


def put(*fields: dict[str, Any]) -> list[Generation]:
    """Store turns that have ended a second after their begin, unless they say else."""
    answer = stored.turn(stored.conversation())
    answer.generations.all().delete()
    return Generation.objects.bulk_create(
        [_turn(answer, **each) for each in fields], batch_size=500
    )


def counted(name: str, *, begin: datetime | None = None, end: datetime = LATER) -> int:
    """Return a series' count over the last day, or a window."""
    return reading.summary(name, begin=begin or ago(days=1), end=end).count


def record_all() -> None:
    """Record up to `NOW`, however many runs that takes."""
    while recording.record(NOW) or State.read().until != NOW:
        pass


def at_random(dice: Random, count: int, *, within: timedelta) -> list[dict[str, Any]]:
    """Return the fields of turns before `NOW`, of every kind."""
    return [_any(dice, within) for _ in range(count)]


def _any(dice: Random, within: timedelta) -> dict[str, Any]:
    is_reported = dice.random() < 0.9
    prompt = dice.randrange(100, 20_000)
    tokens = {
        "prompt_tokens": prompt,
        "cached_tokens": dice.randrange(prompt),
        "output_tokens": dice.randrange(2000),
        "thoughts_tokens": dice.choice([0, 300]),
    }
    return {
        "created_at": NOW - within * dice.random(),
        "status": dice.choice(["complete"] * 8 + ["failed", "stopped"]),
        "variant": dice.choice(["on", "off", ""]),
        "session_outcome": dice.choice(["hit", "created", "recovered", ""]),
        "session_ms": dice.lognormvariate(2, 1),
        "duration_ms": dice.lognormvariate(7, 0.8),
        "time_to_first_token_ms": dice.lognormvariate(5, 0.5),
        **(tokens if is_reported else {}),
    }


def _turn(answer: Any, **fields: Any) -> Generation:
    given: dict[str, Any] = {
        "created_at": NOW,
        "status": "complete",
        "model": stored.MODEL,
    } | fields
    is_running = given["status"] == "running"
    ended_at = None if is_running else given["created_at"] + timedelta(seconds=1)
    return Generation(
        **{"ended_at": ended_at} | given,
        conversation=answer.conversation,
        message=answer,
        process="far:boot:1:1",
        strategy="stateless",
    )
