"""What a site's raw rows say, worked out without any code of the site's."""

import statistics
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests import servers
from tests.faults import store

Row = dict[str, Any]

_FOUND = ("hit", "topped_up", "recovered", "stateless")


@dataclass(frozen=True, slots=True)
class Raw:
    """Every row that the figures rest on."""

    turns: list[Row]
    conversations: list[Row]
    messages: list[Row]
    sessions: list[Row]
    samples: list[float]
    last_cleanup: str | None


def raw(site: servers.Site) -> Raw:
    """Read them all."""
    samples = store.rows(
        site, "SELECT value FROM monitoring_sample WHERE name = 'create_session'"
    )
    cleanups = store.rows(
        site,
        "SELECT max(ended_at) AS at FROM monitoring_jobrun"
        " WHERE name = 'chat.clean_up_sessions' AND outcome = 'done'",
    )
    return Raw(
        turns=store.rows(site, "SELECT * FROM chat_generation"),
        conversations=store.rows(site, "SELECT * FROM chat_conversation"),
        messages=store.rows(site, "SELECT * FROM chat_message"),
        sessions=store.rows(site, "SELECT * FROM chat_livesession"),
        samples=[row["value"] for row in samples],
        last_cleanup=cleanups[0]["at"],
    )


def errors(raw: Raw) -> dict[str, Any]:
    """Return what `/health/detailed` must say of errors, all of them just made."""
    codes = [turn["error_code"] for turn in raw.turns if turn["error_code"]]
    return {
        "error_rate_per_hour": len(codes),
        "error_rate_percent": round(100 * len(codes) / len(raw.turns), 2),
        "samples": len(raw.turns),
        "total_errors_24h": len(codes),
        "by_code": {code: codes.count(code) for code in codes},
    }


def stored(raw: Raw) -> dict[str, Any]:
    """Return what must be said of what is stored."""
    day = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "total_sessions": len(raw.conversations),
        "total_messages": len(raw.messages),
        "recent_sessions_24h": _since(raw.conversations, day),
        "recent_messages_24h": _since(raw.messages, day),
        "average_messages_per_session": round(
            len(raw.messages) / len(raw.conversations), 2
        ),
    }


def found(raw: Raw) -> dict[str, int]:
    """Count how persistent turns found their session; first ones do not count."""
    persistent = [turn for turn in raw.turns if turn["variant"] == "on"]
    outcomes = [turn["session_outcome"] for turn in persistent]
    return {name: outcomes.count(name) for name in _FOUND}


def session_times(raw: Raw, outcome: str) -> list[float]:
    """Return how long sessions of this outcome took to get, in ms."""
    return [
        turn["session_ms"]
        for turn in raw.turns
        if turn["session_outcome"] == outcome and turn["session_ms"] is not None
    ]


def saved_percent(raw: Raw) -> float:
    """Return how many billed tokens a complete turn of the treatment saves."""
    billed = {
        arm: statistics.fmean(
            turn["prompt_tokens"] - 0.9 * turn["cached_tokens"]
            for turn in _complete(raw, arm)
        )
        for arm in ("on", "off")
    }
    return 100 * (1 - billed["on"] / billed["off"])


def sooner_percent(raw: Raw) -> float:
    """Return how much sooner a complete turn of the treatment ends."""
    took = {
        arm: statistics.fmean(turn["duration_ms"] for turn in _complete(raw, arm))
        for arm in ("on", "off")
    }
    return 100 * (1 - took["on"] / took["off"])


def operation(times_ms: list[float]) -> dict[str, Any]:
    """Summarise times as `operation_performance` must."""
    cuts = statistics.quantiles(times_ms, n=100, method="inclusive")
    return {
        "count": len(times_ms),
        "avg_duration_ms": statistics.fmean(times_ms),
        "min_duration_ms": min(times_ms),
        "max_duration_ms": max(times_ms),
        "p50_ms": cuts[49],
        "p95_ms": cuts[94],
        "p99_ms": cuts[98],
    }


def _complete(raw: Raw, arm: str) -> list[Row]:
    return [
        turn
        for turn in raw.turns
        if turn["variant"] == arm and turn["status"] == "complete"
    ]


def _since(rows: list[Row], moment: str) -> int:
    return sum(row["created_at"] >= moment for row in rows)
