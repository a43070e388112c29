"""One process that writes turns as a web process does; `sqlite_writes` starts eight."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import django
from django.db import connection

django.setup()

from chat import database, openings, ownership, records  # noqa: E402 - needs the apps
from chat.errors import DatabaseBusy  # noqa: E402
from chat.models import Conversation, Generation  # noqa: E402

T = TypeVar("T")
_TEXT = "A question of the usual length, which nobody but the database will read."
_ANSWER = records.Outcome(
    status=Generation.Status.COMPLETE, content=_TEXT * 5, finish_reason="STOP"
)


def main() -> None:
    """Make conversations, or write turns into one; print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepare", type=int, help="make that many conversations")
    parser.add_argument("--journal", default="wal")
    parser.add_argument("--conversation", type=int)
    parser.add_argument("--turns", type=int, default=0)
    given = parser.parse_args()
    if given.prepare:
        print(json.dumps(prepare(given.prepare, journal=given.journal)))
    else:
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(write_turns(given.conversation, given.turns)))
    database.close()


def prepare(count: int, *, journal: str) -> list[int]:
    """Set the journal mode and return the ids of new conversations."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA journal_mode={journal}")
    owner = ownership.local_owner()
    made = [
        Conversation.objects.create(owner=owner, title="Writes", model="local")
        for _ in range(count)
    ]
    return [conversation.pk for conversation in made]


def write_turns(conversation_id: int, turns: int) -> dict[str, list[float]]:
    """Open and end turns one after the other.

    Returns how long each write took until it was durable, and how long each one that
    was given up had waited, in ms.
    """
    owner_id = Conversation.objects.get(pk=conversation_id).owner_id
    ask = openings.Ask(
        who=lambda: ownership.Caller(owner_id), conversation_id=conversation_id
    )
    times: dict[str, list[float]] = {"durable": [], "locked": []}
    for _ in range(turns):
        turn = _timed(times, partial(openings.message, ask, text=_TEXT, key=None))
        # What could not be ended would keep the conversation busy.
        while turn is not None:
            end = partial(
                records.end,
                conversation_id=conversation_id,
                generation_id=turn.generation_id,
                message_id=turn.message_id,
                outcome=_ANSWER,
            )
            if _timed(times, end) is not None:
                break
    return times


def _timed(times: dict[str, list[float]], write: Callable[[], T]) -> T | None:
    started_at = time.perf_counter()
    outcome = "locked"
    try:
        done = database.writer.submit(write).result()
        outcome = "durable"
    except DatabaseBusy:
        return None
    finally:
        times[outcome].append((time.perf_counter() - started_at) * 1000)
    return done


if __name__ == "__main__":
    main()
