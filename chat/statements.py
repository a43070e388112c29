"""The SQL of every turn, written out.

Django builds the text of each query anew, 0.3 ms of CPU a time, which was half of a
turn's cost. These few run in every turn; all others stay with the ORM. They are the
same for SQLite and PostgreSQL, and the tests hold them against the models.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

from chat.models import Conversation, Generation, Message

Row = tuple[Any, ...]
M = TypeVar("M", bound=Model)

_ADD_MESSAGE = """
INSERT INTO chat_message (conversation_id, parent_id, role, content, status,
    is_superseded, client_key, signatures, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, '[]', %s) RETURNING id
"""
_ADD_GENERATION = """
INSERT INTO chat_generation (conversation_id, message_id, status, process,
    heartbeat_at, strategy, variant, variant_reason, model, session_outcome,
    session_note, model_version, finish_reason, error_code, error_reason,
    error_detail, created_at)
VALUES (%s, %s, 'running', %s, %s, %s, %s, %s, %s, '', '', '', '', '', '', '', %s)
RETURNING id
"""
_COUNT_MESSAGES = """
UPDATE chat_conversation
SET message_count = message_count + %s, updated_at = %s, title = COALESCE(%s, title)
WHERE id = %s
"""
_RENEW = """
UPDATE chat_generation SET heartbeat_at = %s
WHERE id IN ({marks}) AND status = 'running' RETURNING id, cancel_requested_at
"""
_STORE_TEXT = "UPDATE chat_message SET content = %s, status = 'streaming' WHERE id = %s"
_END_MESSAGE = """
UPDATE chat_message SET content = %s, status = %s, signatures = %s WHERE id = %s
"""
END_FIELDS = (
    "status",
    "strategy",
    "session_outcome",
    "session_note",
    "session_ms",
    "finish_reason",
    "model_version",
    "error_code",
    "error_reason",
    "error_detail",
    "retry_after_s",
    "prompt_tokens",
    "cached_tokens",
    "output_tokens",
    "thoughts_tokens",
    "time_to_first_token_ms",
    "duration_ms",
)
_END_GENERATION = f"""
UPDATE chat_generation SET ended_at = %s, {", ".join(f"{f} = %s" for f in END_FIELDS)}
WHERE id = %s AND status = 'running' RETURNING variant, model
"""  # noqa: S608 - our own names
_GENERATION_FIELDS = (
    "id",
    "conversation_id",
    "message_id",
    "status",
    "strategy",
    "session_outcome",
    "finish_reason",
    "error_code",
    "error_reason",
    "error_detail",
    "retry_after_s",
    "prompt_tokens",
    "cached_tokens",
    "output_tokens",
    "time_to_first_token_ms",
    "duration_ms",
)
_MESSAGE_FIELDS = (
    "id",
    "conversation_id",
    "parent_id",
    "role",
    "content",
    "status",
    "created_at",
)
_CONVERSATION_FIELDS = (
    "id",
    "owner_id",
    "title",
    "title_is_by_user",
    "model",
    "personality",
    "variant",
    "metadata",
    "message_count",
    "created_at",
    "updated_at",
)


def _columns(alias: str, fields: Sequence[str]) -> str:
    return ", ".join(f"{alias}.{field}" for field in fields)


_ENDED = f"""
SELECT {_columns("g", _GENERATION_FIELDS)}, {_columns("a", _MESSAGE_FIELDS)},
    {_columns("q", _MESSAGE_FIELDS)}, {_columns("c", _CONVERSATION_FIELDS)}
FROM chat_generation g
JOIN chat_message a ON a.id = g.message_id
JOIN chat_conversation c ON c.id = g.conversation_id
JOIN chat_message q ON q.id = a.parent_id
WHERE g.id = %s
"""  # noqa: S608 - our own names

_OWNED = f"""
SELECT {_columns("c", _CONVERSATION_FIELDS)} FROM chat_conversation c
WHERE c.id = %s AND c.owner_id = %s
"""  # noqa: S608 - our own names
_LOCAL_OWNER = "SELECT id FROM chat_owner WHERE kind = 'local'"


def owned_conversation(*, conversation_id: int, owner_id: int) -> Conversation | None:
    """Return a conversation of this owner; None for any other."""
    found = rows(_OWNED, [conversation_id, owner_id])
    if not found:
        return None
    return _loaded(Conversation, _CONVERSATION_FIELDS, iter(found[0]))


def local_owner_id() -> int | None:
    """Return the owner of this host's own calls, once there is one."""
    found = rows(_LOCAL_OWNER, [])
    return int(found[0][0]) if found else None


def add_message(  # noqa: PLR0913 - one for each column
    *,
    conversation_id: int,
    parent_id: int | None,
    role: str,
    content: str,
    status: str,
    client_key: str | None,
    now: datetime,
) -> int:
    """Store a message and return its id. Raises: IntegrityError for a used key."""
    return _id(
        _ADD_MESSAGE,
        [
            *(conversation_id, parent_id, role, content, status),
            *(False, client_key, moment(now)),
        ],
    )


def add_generation(  # noqa: PLR0913 - one for each column
    *,
    conversation_id: int,
    message_id: int,
    process: str,
    strategy: str,
    variant: str,
    variant_reason: str,
    model: str,
    now: datetime,
) -> int:
    """Store a running attempt and return its id.

    Raises: IntegrityError when the conversation has a running one already.
    """
    at = moment(now)
    return _id(
        _ADD_GENERATION,
        [
            *(conversation_id, message_id, process, at, strategy),
            *(variant, variant_reason, model, at),
        ],
    )


def count_messages(
    *, conversation_id: int, added: int, title: str | None, now: datetime
) -> None:
    """Note activity in a conversation; title None leaves it."""
    run(_COUNT_MESSAGES, [added, moment(now), title, conversation_id])


def renew(generation_ids: Sequence[int], *, now: datetime) -> list[tuple[int, bool]]:
    """Renew heartbeats and lock the rows, so that no reaper can win before us.

    Returns (id, whether a stop was asked for) of those that still run.
    """
    marks = ", ".join(["%s"] * len(generation_ids))
    held = rows(_RENEW.format(marks=marks), [moment(now), *generation_ids])
    return [(pk, asked_at is not None) for pk, asked_at in held]


def store_texts(texts: Sequence[tuple[str, int]]) -> None:
    """Store (content, message id) of answers that go on."""
    if texts:
        with connection.cursor() as cursor:
            cursor.executemany(_STORE_TEXT, texts)


def end_generation(
    generation_id: int, end: Sequence[Any], *, now: datetime
) -> tuple[str, str] | None:
    """End an attempt if it still runs; return its variant and model if it did.

    `end` are the values of `END_FIELDS`, in that order.
    """
    ended = rows(_END_GENERATION, [moment(now), *end, generation_id])
    return ended[0] if ended else None


def end_message(
    message_id: int, *, content: str, status: str, signatures: list[dict[str, Any]]
) -> None:
    """Store the last text of an answer."""
    run(_END_MESSAGE, [content, status, json.dumps(signatures), message_id])


def ended_generation(generation_id: int) -> Generation | None:
    """Return an attempt with its answer, its question and its conversation.

    Only the fields that an answer to a client shows are loaded.
    """
    matching = rows(_ENDED, [generation_id])
    if not matching:
        return None
    values = iter(matching[0])
    found = _loaded(Generation, _GENERATION_FIELDS, values)
    found.message = _loaded(Message, _MESSAGE_FIELDS, values)
    found.message.parent = _loaded(Message, _MESSAGE_FIELDS, values)
    found.conversation = _loaded(Conversation, _CONVERSATION_FIELDS, values)
    return found


def _loaded(model: type[M], fields: Sequence[str], values: Iterator[Any]) -> M:
    """Take as many values as there are fields and make a stored instance of them."""
    row = [_python(field, value) for field, value in zip(fields, values, strict=False)]
    return model.from_db("default", fields, row)


def _python(field: str, value: Any) -> Any:
    """Return a column's value as the ORM would; SQLite has no time zones, no JSON."""
    if isinstance(value, datetime):
        return aware(value)
    is_json = field == "metadata" and isinstance(value, str)
    return json.loads(value) if is_json else value


def aware(value: datetime) -> datetime:
    """Return a column's time in UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def moment(value: datetime) -> Any:
    """Return a time as this database stores it."""
    return connection.ops.adapt_datetimefield_value(value)


def run(sql: str, values: Sequence[Any]) -> int:
    """Run a statement; return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def rows(sql: str, values: Sequence[Any]) -> list[Row]:
    """Run a statement; return the rows it yields."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[Row] = cursor.fetchall()
        return found


def _id(sql: str, values: Sequence[Any]) -> int:
    return int(rows(sql, values)[0][0])
