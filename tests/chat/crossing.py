"""Writes for a process that shares PostgreSQL with others: each says how it went."""

import asyncio
import threading
from functools import partial

from django.db import connection

from chat import ratelimit, turns
from chat.database import writer
from chat.errors import ChatError
from chat.ownership import Caller
from tests.chat import stored

_PATIENCE_S = 30.0


def fill(*keys: str) -> None:
    """Make full buckets."""
    for key in keys:
        _spend(key)


def together(*jobs: str) -> str:
    """Let one batch hold jobs that spend from buckets, "a b" first from a, then from b.

    Returns how often each was begun and in which order, and how each ended.
    """
    begun: list[str] = []
    gate = threading.Event()
    writer.submit(partial(gate.wait, _PATIENCE_S))
    queued = [writer.submit(partial(_spend, keys, begun)) for keys in jobs]
    gate.set()
    ended = [_name(each.exception(_PATIENCE_S)) for each in queued]
    return f"{begun} {ended}"


def fail(code: str, times: int) -> str:
    """Let a job alone be taken back by the database so often; return how it went."""
    begun: list[str] = []

    def work() -> None:
        begun.append("once")
        if len(begun) <= times:
            with connection.cursor() as cursor:
                cursor.execute(f"DO 'BEGIN RAISE SQLSTATE ''{code}''; END'")

    error = writer.submit(work).exception(_PATIENCE_S)
    return f"{len(begun)} {_name(error)}"


def begin() -> str:
    """Make a conversation; return its id and its owner's."""
    made = stored.conversation()
    return f"{made.pk} {made.owner_id}"


def say(conversation_id: int, owner_id: int) -> str:
    """Say something in a conversation; return what becomes of it."""
    try:
        asyncio.run(
            turns.take_turn(lambda: Caller(owner_id), conversation_id, text="Hi")
        )
    except ChatError as error:
        return _name(error)
    return "taken"


def _spend(keys: str, begun: list[str] | None = None) -> None:
    if begun is not None:
        begun.append(keys)
    for key in keys.split():
        ratelimit.spend(key=key, per_minute=100, what="messages")


def _name(error: BaseException | None) -> str:
    return type(error).__name__ if error else "well"
