"""What was said before a message, as it is to be told to a model.

Each function is one query on a database thread.
"""

import json
from collections.abc import Sequence
from typing import Any

from chat import statements
from chat.contents import Line
from chat.models import Message
from chat.statements import Row

_RECENT = """
SELECT m.id, m.parent_id, m.role, m.content, m.status FROM chat_message m
WHERE m.conversation_id = %s AND m.id < %s AND NOT m.is_superseded
ORDER BY m.id DESC LIMIT %s
"""
# Signatures are of worth to the model that made them only.
_SIGNED = """
SELECT m.id, m.parent_id, m.role, m.content, m.status, m.signatures
    , (SELECT g.model FROM chat_generation g
       WHERE g.message_id = m.id AND g.status = 'complete' LIMIT 1)
FROM chat_message m
WHERE m.conversation_id = %s AND m.id < %s AND m.id > %s AND NOT m.is_superseded
ORDER BY m.id DESC LIMIT %s
"""


def recent(*, conversation_id: int, before_id: int, limit: int) -> list[Line]:
    """Return the newest messages before one, oldest first, without signatures.

    A blocked answer and its question stay out: sent again, they would block every
    later turn. Answers without text stay out too.
    """
    rows = statements.rows(_RECENT, [conversation_id, before_id, limit])
    return [Line(row[2], row[3]) for row in _tellable(rows)]


def signed(
    *, conversation_id: int, before_id: int, after_id: int, limit: int, model: str
) -> list[Line] | None:
    """Return all between two messages, as `recent` does, with this model's signatures.

    None: there are more than `limit`.
    """
    values = [conversation_id, before_id, after_id, limit + 1]
    rows = statements.rows(_SIGNED, values)
    return None if len(rows) > limit else _lines(rows, model)


def newest_signed(
    *, conversation_id: int, before_id: int, limit: int, model: str
) -> list[Line]:
    """Return the newest messages before one, as `signed` does."""
    rows = statements.rows(_SIGNED, [conversation_id, before_id, 0, limit])
    return _lines(rows, model)


def _lines(rows: Sequence[Row], model: str) -> list[Line]:
    return [
        Line(row[2], row[3], _signatures(row[5]) if row[6] == model else ())
        for row in _tellable(rows)
    ]


def _tellable(rows: Sequence[Row]) -> list[Row]:
    """Return rows without what is not to be told, the oldest first."""
    blocked = {row[1] for row in rows if row[4] == Message.Status.BLOCKED}
    return [
        row
        for row in reversed(rows)
        if row[3] and row[4] != Message.Status.BLOCKED and row[0] not in blocked
    ]


def _signatures(stored: Any) -> list[dict[str, Any]]:
    """Return a JSON column's value; SQLite keeps it as text."""
    parts: list[dict[str, Any]] = (
        json.loads(stored) if isinstance(stored, str) else stored
    )
    return parts
