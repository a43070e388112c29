"""The memory of closed sessions is given back, and of no others."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from chat import database, registrations, session_keeper, sessions
from chat.models import Conversation
from chat.session_keeper import SessionKeeper
from chat.sessions import Session
from tests.chat import in_process, stored

pytestmark = pytest.mark.django_db(transaction=True)

_PATIENCE_S = 10.0


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_keeper, "_LOOK_EVERY_S", 0.01)


async def _registered(of: Conversation) -> Session:
    """Register a session of this process; return it."""
    session = stored.session(of)
    await database.write(partial(registrations.hold, session))
    return session


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_a_closed_registration_gives_the_memory_back(of: Conversation) -> None:
    sessions.pool().keep(await _registered(of))

    assert await session_keeper.sweep() == 0
    await database.write(registrations.close_all)  # by another process, say

    assert await session_keeper.sweep() == 1
    assert sessions.pool().find(of.pk) is None


async def test_a_session_of_another_process_does_not_hold_ours(
    of: Conversation,
) -> None:
    elsewhere = stored.ELSEWHERE.format(1)
    await database.write(partial(stored.registered, of, process=elsewhere))
    sessions.pool().keep(stored.session(of))

    assert await session_keeper.sweep() == 1


async def test_a_session_that_is_renewed_while_the_table_is_read_stays(
    of: Conversation,
) -> None:
    sessions.pool().keep(stored.session(of))
    renewed = stored.session(of, version=4)

    async with in_process.readers_are_busy() as let_go:
        sweeping = asyncio.create_task(session_keeper.sweep())
        await asyncio.sleep(0)  # it has seen the pool and waits for a reader
        sessions.pool().keep(renewed)
        let_go()

    assert await sweeping == 0
    assert sessions.pool().find(of.pk) is renewed


@pytest.mark.usefixtures("_soon")
async def test_whoever_keeps_a_session_sweeps_until_there_is_none(
    of: Conversation,
) -> None:
    keeper = SessionKeeper()
    keeper.keep(await _registered(of))
    sweeper = keeper._sweeper
    assert sweeper is not None

    await asyncio.sleep(0.05)
    assert sessions.pool().find(of.pk) is not None
    await database.write(registrations.close_all)

    await asyncio.wait_for(sweeper, _PATIENCE_S)
    assert len(sessions.pool()) == 0


@pytest.mark.usefixtures("_soon")
async def test_a_session_that_comes_later_is_swept_again(of: Conversation) -> None:
    keeper = SessionKeeper()
    for _ in range(2):
        keeper.keep(stored.session(of))
        await _until(lambda: len(sessions.pool()) == 0)

    sweeper = keeper._sweeper
    assert sweeper is not None
    await asyncio.wait_for(sweeper, _PATIENCE_S)


@pytest.mark.usefixtures("_soon")
@pytest.mark.skipif(connection.vendor != "sqlite", reason="aborts SQLite's statements")
async def test_a_database_that_fails_once_does_not_end_the_sweeping(
    of: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    await in_process.on_each_reader(in_process.abort_next_statement)
    keeper = SessionKeeper()

    keeper.keep(stored.session(of))

    await _until(lambda: len(sessions.pool()) == 0)
    assert "sessions.sweep_failed" in caplog.text
