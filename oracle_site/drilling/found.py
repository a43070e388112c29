"""What a copy's own rows say of its rollout, and of who was served how."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from oracle_site.drilling.copies import Copy

# A turn that had a session, or was to have one.
_GOING_ON = """
SELECT COUNT(*) AS count FROM (
  SELECT conversation_id FROM chat_generation
  WHERE variant = 'on' OR strategy != 'stateless'
  GROUP BY conversation_id HAVING COUNT(*) > 1
) AS going_on
"""
_LAST = """
SELECT MAX(created_at) AS begun, MAX(ended_at) AS ended FROM chat_generation
WHERE variant = 'on' OR strategy != 'stateless'
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that changed something."""

    at: datetime
    action: str
    state: str
    percent: Decimal
    phase_index: int
    sentence: str


def decided(copy: Copy, *, since: datetime | None = None) -> list[Decided]:
    """Return the decisions that changed something, oldest first."""
    rows = copy.rows(
        "SELECT at, action, state_after, percent_after, phase_index, sentence "
        "FROM flags_decision WHERE action != 'none' ORDER BY id"
    )
    found = [_decided(row) for row in rows]
    return [each for each in found if since is None or each.at >= since]


def rollout(copy: Copy) -> dict[str, Any]:
    """Return the rollout's row; empty before there is one."""
    rows = copy.rows("SELECT * FROM flags_rollout ORDER BY id DESC LIMIT 1")
    return rows[0] if rows else {}


def last_words(copy: Copy) -> str:
    """Return the newest decision's sentence; empty before there is one."""
    rows = copy.rows("SELECT sentence FROM flags_decision ORDER BY id DESC LIMIT 1")
    return str(rows[0]["sentence"]) if rows else ""


def ticks(copy: Copy, *, since: datetime) -> list[int]:
    """Return the phase (from 0) after each tick since, oldest first."""
    rows = copy.rows("SELECT at, phase_index FROM flags_decision ORDER BY id")
    return [row["phase_index"] for row in rows if _moment(row["at"]) >= since]


def given_percent(copy: Copy) -> Decimal:
    """Return what the flag really gives; 0 while it is off."""
    (row,) = copy.rows("SELECT everyone, percent FROM flags_flag")
    is_off = row["everyone"] is not None and not row["everyone"]
    return Decimal(0) if is_off else Decimal(str(row["percent"]))


def persistent_conversations(copy: Copy) -> int:
    """Return how many conversations have gone on persistently, beyond a first turn."""
    (row,) = copy.rows(_GOING_ON)
    return int(row["count"])


def last_persistent(copy: Copy) -> tuple[datetime | None, datetime | None]:
    """Return when the last persistent turn was begun, and when the last one ended."""
    (row,) = copy.rows(_LAST)
    return (
        row["begun"] and _moment(row["begun"]),
        row["ended"] and _moment(row["ended"]),
    )


def turns(copy: Copy) -> dict[str, int]:
    """Return how many turns have ended, by variant."""
    rows = copy.rows(
        "SELECT variant, COUNT(*) AS count FROM chat_generation "
        "WHERE ended_at IS NOT NULL GROUP BY variant"
    )
    return {row["variant"] or "none": row["count"] for row in rows}


def _decided(row: dict[str, Any]) -> Decided:
    return Decided(
        at=_moment(row["at"]),
        action=row["action"],
        state=row["state_after"],
        percent=Decimal(str(row["percent_after"])),
        phase_index=row["phase_index"],
        sentence=row["sentence"],
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
