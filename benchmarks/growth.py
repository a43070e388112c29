"""Does a turn stay as quick when a conversation, or the whole table, is large?"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import rounds
from benchmarks.contenders import Contender, product
from benchmarks.figures import Figure, percentile, ratio
from benchmarks.rounds import Samples

_LONG = 2_000
_SHORT = 20
_MANY = 1_000_000
_FEW = 10_000
_TURNS = 40
_REPEATS = 8
_GOAL = 1.2

_NUMBERS = """
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE
n + 1 < :messages)
"""
_CONVERSATIONS = f"""{_NUMBERS}
INSERT INTO chat_conversation (owner_id, title, title_is_by_user, model, personality,
  variant, metadata, message_count, created_at, updated_at)
SELECT id, 'Bulk', 0, 'gemini-3.8-flash', 'default', 'off', '{{}}', :length, :now, :now
FROM numbers, (SELECT min(id) AS id FROM chat_owner) WHERE n % :length = 0
"""
_MESSAGES = f"""{_NUMBERS}
INSERT INTO chat_message (conversation_id, parent_id, role, content, status,
  is_superseded, signatures, created_at)
SELECT :first_conversation + n / :length,
  CASE WHEN n % 2 THEN :first_message + n - 1 END,
  CASE WHEN n % 2 THEN 'assistant' ELSE 'user' END,
  'Twenty words or so, which is what the others say in this place as well, ' || n,
  'complete', 0, '[]', :now
FROM numbers
"""
_GENERATIONS = """
INSERT INTO chat_generation (conversation_id, message_id, status, process, heartbeat_at,
  strategy, variant, variant_reason, session_outcome, session_note, model,
  model_version, finish_reason, error_code, error_reason, error_detail, created_at,
  ended_at)
SELECT conversation_id, id, 'complete', 'bulk:1:1', :now, 'stateless', 'off', 'STATIC',
  '', '', 'gemini-3.8-flash', '', 'STOP', '', '', '', :now, :now
FROM chat_message WHERE id >= :first_message AND role = 'assistant'
"""


def measure(data_dir: Path, *, gemini_url: str) -> list[Figure]:
    """Take turns in large and small conversations and tables, one after the other."""
    with contextlib.ExitStack() as stack:
        small = stack.enter_context(product(data_dir / "few", gemini_url=gemini_url))
        large = stack.enter_context(product(data_dir / "many", gemini_url=gemini_url))
        places = {
            "short": (small, _prepared(small, length=_SHORT)),
            "long": (small, _prepared(small, length=_LONG)),
            "few": (small, _prepared(small, length=_SHORT)),
            "many": (large, _prepared(large, length=_SHORT)),
        }
        _fill(small, messages=_FEW, length=_SHORT)
        _fill(large, messages=_MANY, length=_SHORT)
        samples = Samples()
        for _ in range(_REPEATS):
            for name, (contender, session) in places.items():
                _take_turns(samples, name, contender, session)
    return [
        *_figures(
            samples,
            f"{_LONG:,} messages in the conversation ÷ {_SHORT}",
            "long",
            "short",
        ),
        *_figures(
            samples, f"{_MANY:,} messages in the table ÷ {_FEW:,}", "many", "few"
        ),
    ]


def _figures(samples: Samples, name: str, above: str, below: str) -> Sequence[Figure]:
    return [
        Figure(
            f"{name}: {what}",
            "×",
            ratio(samples.of(measure, above), samples.of(measure, below)),
            goal=_GOAL,
        )
        for measure, what in (("turn_ms", "time"), ("turn_cpu_ms", "CPU"))
    ]


def _prepared(contender: Contender, *, length: int) -> int:
    """Begin a session over the API and give it that many messages."""
    run = rounds.load(contender, rounds.INSTANT, "--turns", "1", "--concurrency", "1")
    session = run.sessions[0]
    with _database(contender) as connection:
        first = _next_id(connection, "chat_message")
        connection.execute(
            _MESSAGES,
            {
                "messages": length,
                "length": length,
                "first_conversation": session,
                "first_message": first,
                "now": _now(),
            },
        )
        connection.execute(
            "UPDATE chat_conversation SET message_count = message_count + ?"
            " WHERE id = ?",
            [length, session],
        )
    return session


def _fill(contender: Contender, *, messages: int, length: int) -> None:
    """Add conversations of other times until the table has about that many rows."""
    with _database(contender) as connection:
        values = {
            "messages": messages,
            "length": length,
            "first_conversation": _next_id(connection, "chat_conversation"),
            "first_message": _next_id(connection, "chat_message"),
            "now": _now(),
        }
        for statement in (_CONVERSATIONS, _MESSAGES, _GENERATIONS):
            connection.execute(statement, values)
        connection.execute("ANALYZE")


@contextlib.contextmanager
def _database(contender: Contender) -> Iterator[sqlite3.Connection]:
    path = contender.data_dir / "oracle.sqlite3"
    with (
        contextlib.closing(sqlite3.connect(path, timeout=60)) as connection,
        connection,
    ):
        yield connection


def _next_id(connection: sqlite3.Connection, table: str) -> int:
    found = connection.execute(f"SELECT max(id) FROM {table}").fetchone()
    return int(found[0] or 0) + 1


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(" ")


def _take_turns(
    samples: Samples, name: str, contender: Contender, session: int
) -> None:
    before_s = contender.cpu_s()
    run = rounds.load(
        contender,
        rounds.INSTANT,
        *("--turns", str(_TURNS), "--concurrency", "1", "--sessions", str(session)),
    )
    cpu_ms = (contender.cpu_s() - before_s) * 1000
    samples.add("turn_ms", name, percentile(run.total_ms, 50))
    samples.add("turn_cpu_ms", name, cpu_ms / len(run.total_ms))
