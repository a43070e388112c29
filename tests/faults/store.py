"""The site's database, read from outside as it stands."""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import servers


@dataclass(frozen=True, slots=True)
class Running:
    """An attempt that the database calls running, and the process that makes it."""

    generation_id: int
    conversation_id: int
    message_id: int
    pid: int


def path(site: servers.Site) -> Path:
    """Return the database file."""
    return site.data_dir / "oracle.sqlite3"


@contextlib.contextmanager
def opened(site: servers.Site) -> Iterator[sqlite3.Connection]:
    """Open the database for reading only."""
    connection = sqlite3.connect(f"file:{path(site)}?mode=ro", uri=True, timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        yield connection
    finally:
        connection.close()


def rows(site: servers.Site, statement: str, *values: Any) -> list[dict[str, Any]]:
    """Return what a SELECT finds."""
    with opened(site) as connection:
        return [dict(row) for row in connection.execute(statement, values)]


def write(site: servers.Site, statement: str, *values: Any) -> int:
    """Change rows behind the site's back; return how many."""
    database = sqlite3.connect(path(site), timeout=30)
    with contextlib.closing(database), database:
        return database.execute(statement, values).rowcount


def running(site: servers.Site) -> list[Running]:
    """Return the attempts that are called running."""
    return [
        Running(
            row["id"],
            row["conversation_id"],
            row["message_id"],
            int(row["process"].rsplit(":", 2)[1]),
        )
        for row in rows(
            site,
            "SELECT id, conversation_id, message_id, process FROM chat_generation"
            " WHERE status = 'running'",
        )
    ]


def maker(site: servers.Site, conversation_id: int) -> int:
    """Return the process that makes this conversation's answer."""
    [pid] = [one.pid for one in running(site) if one.conversation_id == conversation_id]
    return pid


def attempts(site: servers.Site, conversation_id: int) -> list[dict[str, Any]]:
    """Return a conversation's attempts with their answers' text, oldest first."""
    return rows(
        site,
        "SELECT g.id, g.status, g.message_id, g.error_reason, g.process,"
        " m.status AS message_status, m.content FROM chat_generation g"
        " JOIN chat_message m ON m.id = g.message_id"
        " WHERE g.conversation_id = ? ORDER BY g.id",
        conversation_id,
    )


@contextlib.contextmanager
def locked(site: servers.Site) -> Iterator[None]:
    """Hold the lock that every writer needs, as a stranger would."""
    connection = sqlite3.connect(path(site), timeout=30, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def is_locked(site: servers.Site) -> bool:
    """Tell whether somebody is writing at this moment."""
    connection = sqlite3.connect(path(site), timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False
