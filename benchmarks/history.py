"""Thirty days of history for a benchmark's site: as many points as a busy site has."""

import json
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.history.sketch import Sketch

_HOURS, _MINUTES = 30 * 24, 24 * 60
_VALUES_AN_HOUR = 80
_VARIANTS = ("on", "off")
_SPREAD = {"turn_ms": _VARIANTS, "first_text_ms": _VARIANTS}
_TOLD = {
    "turns": ("complete", "failed", "stopped", "interrupted"),
    "errors": ("GEMINI_TIMEOUT", "GEMINI_API_ERROR", "RATE_LIMITED"),
    "requests": ("2xx", "3xx", "4xx", "5xx"),
    "session_found": ("created", "hit", "topped_up", "recovered", "stateless"),
    "check_ms": ("database", "disk", "memory", "migrations", "model", "session_pool"),
    "prompt_tokens": _VARIANTS,
    "cached_tokens": _VARIANTS,
    "output_tokens": _VARIANTS,
    "thoughts_tokens": _VARIANTS,
    "billed_tokens": _VARIANTS,
    "cost_usd": _VARIANTS,
    "rollout_percent": ("persistent_sessions",),
    **dict.fromkeys(
        (
            *("sessions_live", "sessions_maximum", "queue_waiting"),
            *("answers_running", "memory_percent", "disk_free_gb"),
        ),
        ("",),
    ),
}
_POINT = """
INSERT OR REPLACE INTO monitoring_point
  (step_s, begin, name, label, count, total, low, high, sketch)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def fill(database: sqlite3.Connection, now: datetime) -> None:
    """Store hours of a month and minutes of a day, whatever the messages are."""
    database.executemany(_POINT, _points(now))


def _points(now: datetime) -> Iterator[Any]:
    dice = random.Random(7)
    minute = now.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None)
    hour = minute.replace(minute=0)
    for step_s, newest, count in ((3600, hour, _HOURS), (60, minute, _MINUTES)):
        for back in range(count):
            begin = newest - timedelta(seconds=step_s * back)
            yield from _of(dice, step_s, begin.isoformat(" "))


def _of(dice: random.Random, step_s: int, begin: str) -> Iterator[Any]:
    """Yield every series' points of a step."""
    for name, labels in _TOLD.items():
        for label in labels:
            yield step_s, begin, name, label, 40, 40 * dice.random(), 0.1, 9.0, None
    count = max(1, _VALUES_AN_HOUR * step_s // 3600)
    for name, labels in _SPREAD.items():
        for label in labels:
            values = [dice.lognormvariate(7, 0.6) for _ in range(count)]
            sketch = json.dumps(Sketch.of(values).runs)
            known = (count, sum(values), min(values), max(values))
            yield step_s, begin, name, label, *known, sketch
