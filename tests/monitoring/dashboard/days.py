"""Days of traffic as rows: waves, an outage, two variants; every run the same."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import pi, sin
from typing import Any

from chat.models import Conversation, Generation, Message, Owner
from monitoring.history import recording
from monitoring.models import Alert, CheckResult, Incident, JobRun, Point

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
_CHECKS = ("database", "migrations", "disk", "memory", "model", "session_pool")
_CODES = ("GEMINI_TIMEOUT", "GEMINI_API_ERROR", "RATE_LIMITED", "GEMINI_BLOCKED")
_OUTCOMES = ("created", *["hit"] * 7, "topped_up", "recovered", "stateless")
_LEVELS = {
    "memory_percent": (48.0, 9.0),
    "disk_free_gb": (37.0, 0.4),
    "sessions_live": (240.0, 130.0),
    "sessions_maximum": (500.0, 0.0),
    "answers_running": (4.0, 3.0),
    "queue_waiting": (1.0, 1.0),
}


def fill(now: datetime, *, days: int = 30, turns_a_day: int = 2_000) -> None:
    """Store turns, levels and checks up to now, and record the history of them."""
    dice = random.Random(7)
    _store_turns([*_begins(dice, now, days, turns_a_day)], dice, now)
    _store_checks(now, days)
    while _record(now):
        pass
    _store_levels(dice, now, days)


def trouble(now: datetime) -> None:
    """Let two alerts be open, and an incident."""
    alert = Alert.objects.create(
        name="high-error-rate",
        severity="critical",
        summary="Over 10 % of the turns of a quarter of an hour failed.",
        state="firing",
        value=0.23,
        began_at=now - 12 * MINUTE,
        fired_at=now - 11 * MINUTE,
    )
    Alert.objects.create(
        name="slow-answers",
        severity="warning",
        summary="Answers took over 3 s on average.",
        state="pending",
        value=3400,
        began_at=now - 4 * MINUTE,
    )
    Incident.objects.create(
        title="Many answers fail with GEMINI_TIMEOUT",
        alert=alert,
        opened_by="high-error-rate",
        started_at=now - 12 * MINUTE,
        detected_at=now - 11 * MINUTE,
    )


def _record(now: datetime) -> bool:
    """Record once more; tell whether something was written."""
    return recording.record(now) > 0


def _wave(at: datetime) -> float:
    """Return how busy a time of the day is, 0 to 1."""
    return 0.5 - 0.5 * sin(2 * pi * (at.hour + at.minute / 60 + 3) / 24)


def _is_outage(at: datetime, now: datetime) -> bool:
    return now - timedelta(minutes=31) < at < now - timedelta(minutes=20) or (
        now - timedelta(days=3, hours=2) < at < now - timedelta(days=3)
    )


def _begins(
    dice: random.Random, now: datetime, days: int, turns_a_day: int
) -> Iterator[datetime]:
    at = now - timedelta(days=days)
    while at < now:
        yield at
        busy = turns_a_day / 86_400 * (0.15 + 1.7 * _wave(at))
        at += timedelta(seconds=dice.expovariate(busy))


def _store_turns(begins: list[datetime], dice: random.Random, now: datetime) -> None:
    owner = Owner.objects.create(kind="visitor")
    conversations = Conversation.objects.bulk_create(
        Conversation(
            owner=owner,
            title="Waves",
            model="gemini-3.8-flash",
            variant="on" if number % 4 else "off",
            created_at=at,
            updated_at=at,
        )
        for number, at in enumerate(begins[::6])
    )
    messages = Message.objects.bulk_create(
        Message(
            conversation=conversations[number // 6],
            role="assistant",
            content="…",
            status="complete",
            created_at=at,
        )
        for number, at in enumerate(begins)
    )
    Generation.objects.bulk_create(_turn(message, dice, now) for message in messages)


def _turn(message: Message, dice: random.Random, now: datetime) -> Generation:
    at = message.created_at
    is_on = message.conversation.variant == "on"
    is_out = _is_outage(at, now)
    status = _status(dice, is_out=is_out)
    prompt = dice.randint(600, 3000)
    took = dice.lognormvariate(7.2 if is_on else 7.6, 0.5) * (4 if is_out else 1)
    has_answer = status == "complete"
    code = "" if status in {"complete", "stopped"} else dice.choice(_CODES)
    known: dict[str, Any] = {}
    if has_answer:
        known = {
            "prompt_tokens": prompt,
            "cached_tokens": int(prompt * 0.7) if is_on else 0,
            "output_tokens": dice.randint(50, 500),
            "thoughts_tokens": dice.randint(0, 200),
            "time_to_first_token_ms": took * dice.uniform(0.2, 0.4),
        }
    return Generation(
        conversation=message.conversation,
        message=message,
        status=status,
        process="made:1:1",
        strategy="history" if is_on else "stateless",
        variant="on" if is_on else "off",
        variant_reason="SPLIT",
        session_outcome=dice.choice(_OUTCOMES) if is_on else "",
        session_ms=dice.uniform(1, 40) if is_on else None,
        model="gemini-3.8-flash",
        error_code=code,
        error_reason=code,
        duration_ms=took,
        created_at=at,
        ended_at=at + timedelta(milliseconds=took),
        **known,
    )


def _status(dice: random.Random, *, is_out: bool) -> str:
    weights = (4, 1, 2, 14) if is_out else (96, 2, 0.5, 1.5)
    return dice.choices(("complete", "stopped", "interrupted", "failed"), weights)[0]


def _store_checks(now: datetime, days: int) -> None:
    rows = []
    at = now - timedelta(minutes=2)
    while at > now - timedelta(days=days):
        for name in _CHECKS:
            is_bad = name == "model" and _is_outage(at, now)
            rows.append(
                CheckResult(
                    name=name,
                    status="degraded" if is_bad else "healthy",
                    sentence="The last 5 answers failed upstream."
                    if is_bad
                    else "It is as it should be.",
                    took_ms=3.2,
                    at=at,
                )
            )
        at -= timedelta(minutes=5)
    CheckResult.objects.bulk_create(rows, batch_size=5000)
    JobRun.objects.create(
        name="monitoring.record_points", slot="made", holder="made:1:1"
    )


def _store_levels(dice: random.Random, now: datetime, days: int) -> None:
    """Put points where nothing was to be seen afterwards: levels and requests."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [hour - each * HOUR for each in range(days * 24)]
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    minutes = [minute - each * MINUTE for each in range(120)]
    rows = [
        *(p for at in hours for p in _level_points(dice, at, Point.Step.HOUR, now)),
        *(p for at in minutes for p in _level_points(dice, at, Point.Step.MINUTE, now)),
    ]
    Point.objects.filter(name__in=[*_LEVELS, "rollout_percent", "requests"]).delete()
    Point.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5000)


def _level_points(
    dice: random.Random, at: datetime, step: Point.Step, now: datetime
) -> Iterator[Point]:
    count = step.value // 60
    levels = {
        name: low + spread * _wave(at) * dice.uniform(0.8, 1.1)
        for name, (low, spread) in _LEVELS.items()
    }
    back = (now - at).days
    levels["rollout_percent"] = max(
        p for p in (1, 10, 25, 75) if p <= 76 - 2.5 * back or p == 1
    )
    for name, level in levels.items():
        yield Point(
            step_s=step,
            begin=at,
            name=name,
            label="persistent_sessions" if name == "rollout_percent" else "",
            count=count,
            total=level * count,
            low=level * 0.95,
            high=level * 1.05,
        )
    asked = max(1.0, 12 * count * _wave(at))
    for label, share in (("2xx", 0.93), ("3xx", 0.04), ("4xx", 0.03), ("5xx", 0.003)):
        number = round(asked * share)
        yield Point(
            step_s=step,
            begin=at,
            name="requests",
            label=label,
            count=number,
            total=number,
        )
