"""Turns that this very process takes, with the scripted local Gemini at the far end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from django.db import connection

from chat import database, generations, turns
from chat.models import Conversation, Generation
from chat.openings import Turn
from chat.ownership import Caller

_READERS = 2
_PATIENCE_S = 20.0


async def say(of: Conversation, text: str) -> Generation:
    """Take a turn; return the attempt at its answer when that has ended."""
    turn = await turns.take_turn(lambda: Caller(of.owner_id), of.pk, text=text)
    return await _ended(turn)


async def retry(of: Conversation) -> Generation:
    """Answer the last message anew; return the attempt when that has ended."""
    return await _ended(await turns.retry(lambda: Caller(of.owner_id), of.pk))


async def _ended(turn: Turn) -> Generation:
    async with asyncio.timeout(_PATIENCE_S):
        await generations.engine().wait(turn.generation_id)
    return await database.write(partial(_attempt, turn.generation_id))


def _attempt(generation_id: int) -> Generation:
    return Generation.objects.select_related("message").get(pk=generation_id)


def outcome(of: Generation) -> tuple[str, str, str]:
    """Return the strategy, outcome and note of a turn's session."""
    return of.strategy, of.session_outcome, of.session_note


@asynccontextmanager
async def readers_are_busy() -> AsyncIterator[Callable[[], None]]:
    """Keep every reading thread at work; yield what lets them go before the end."""
    gate, all_there = threading.Event(), threading.Barrier(_READERS + 1)

    def work() -> None:
        all_there.wait()
        gate.wait()

    busy = [asyncio.create_task(database.read(work)) for _ in range(_READERS)]
    await asyncio.to_thread(all_there.wait)
    try:
        yield gate.set
    finally:
        gate.set()
        await asyncio.gather(*busy)


async def on_each_reader(run: Callable[[], Any]) -> None:
    """Run a function once on every reading thread."""
    all_there = threading.Barrier(_READERS)

    def work() -> None:
        all_there.wait()
        run()

    await asyncio.gather(*(database.read(work) for _ in range(_READERS)))


def abort_next_statement() -> None:
    """Let SQLite abort the next statement of this thread's connection."""
    verdicts = iter([1])
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: next(verdicts, 0), 1)


def later(wait_s: float, run: Callable[[], object]) -> None:
    """Run a function of this event loop in a while."""
    asyncio.get_running_loop().call_later(wait_s, run)
