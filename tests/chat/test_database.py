"""One writer that commits for many, and readers beside it."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from django.db import IntegrityError, connections

from chat import database
from chat.database import GroupWriter
from chat.errors import ConversationNotFound, DatabaseBusy
from chat.models import Owner
from monitoring import metrics, pending
from monitoring.models import Total

pytestmark = pytest.mark.django_db(transaction=True)

_PATIENCE_S = 0.3


@pytest.fixture
def writer() -> Iterator[GroupWriter]:
    made = GroupWriter()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_connection_is_left() -> Iterator[None]:
    yield
    database.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let writers give up waiting for the lock soon."""
    options = connections["default"].settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "timeout", _PATIENCE_S)


@contextlib.contextmanager
def _stranger_locks() -> Iterator[None]:
    """Hold the database's write lock over a connection that is none of ours."""
    path = connections["default"].settings_dict["NAME"]
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN EXCLUSIVE")
        yield
        stranger.execute("ROLLBACK")


def _stored(name: str) -> int | None:
    return metrics.totals(name)[name]


def _adds(name: str, error: Exception | None = None) -> Callable[[], str]:
    def add() -> str:
        metrics.count(**{name: 1})
        if error is not None:
            raise error
        return name

    return add


def _together(writer: GroupWriter, *jobs: Callable[[], Any]) -> list[Future[Any]]:
    """Queue jobs while the writer is held up, so that one transaction takes them."""
    gate = threading.Event()
    first = writer.submit(gate.wait)
    futures = [writer.submit(job) for job in jobs]
    gate.set()
    first.result(10)
    return futures


def test_a_result_comes_when_everybody_can_see_it(writer: GroupWriter) -> None:
    assert writer.submit(_adds("seen")).result(10) == "seen"

    path = connections["default"].settings_dict["NAME"]
    with contextlib.closing(sqlite3.connect(path)) as stranger:
        rows = stranger.execute("SELECT value FROM monitoring_total WHERE name='seen'")
        assert rows.fetchall() == [(1,)]


def test_writes_that_wait_together_share_one_commit(writer: GroupWriter) -> None:
    def version() -> Any:
        with connections["default"].cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            return cursor.fetchone()

    before = version()
    for future in _together(writer, *[_adds("shared")] * 50):
        future.result(10)

    # Changes by one with each commit of another connection.
    assert version()[0] - before[0] <= 2
    assert _stored("shared") == 50


@pytest.mark.parametrize(
    "error", [ValueError("no"), ConversationNotFound(), IntegrityError("no")]
)
def test_a_job_that_fails_undoes_only_itself(
    writer: GroupWriter, error: Exception
) -> None:
    futures = _together(
        writer, _adds("before"), _adds("failing", error), _adds("after")
    )

    assert [future.exception(10) for future in futures] == [None, error, None]
    assert [_stored(name) for name in ("before", "failing", "after")] == [1, None, 1]


def test_a_broken_constraint_undoes_only_its_job(writer: GroupWriter) -> None:
    def second_local_owner() -> None:
        metrics.count(failing=1)
        Owner.objects.create(kind=Owner.Kind.LOCAL)

    Owner.objects.create(kind=Owner.Kind.LOCAL)
    bad, good = _together(writer, second_local_owner, _adds("good"))

    assert isinstance(bad.exception(10), IntegrityError)
    assert good.result(10) == "good"
    assert _stored("failing") is None


def test_a_job_that_breaks_the_transaction_spoils_no_other(
    writer: GroupWriter,
) -> None:
    def no_such_table() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    first, before, second, after = _together(
        writer, no_such_table, _adds("before"), no_such_table, _adds("after")
    )

    assert isinstance(first.exception(10), DatabaseBusy)
    assert isinstance(second.exception(10), DatabaseBusy)
    assert [before.result(10), after.result(10)] == ["before", "after"]
    assert [_stored("before"), _stored("after")] == [1, 1]


def test_what_a_repeated_job_notes_for_the_flusher_counts_once(
    writer: GroupWriter,
) -> None:
    def refuse() -> None:
        pending.add({"refused": 1})
        raise ConversationNotFound

    def no_such_table() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    pending.take(is_counting=True)

    refused, broken = _together(writer, refuse, no_such_table)

    assert isinstance(refused.exception(10), ConversationNotFound)
    assert isinstance(broken.exception(10), DatabaseBusy)
    assert pending.take(is_counting=True).get("refused") == 1


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_is_named_and_loses_no_later_write(
    writer: GroupWriter,
) -> None:
    with _stranger_locks():
        refused = [writer.submit(_adds(f"refused{n}")) for n in range(5)]
        errors = [future.exception(10) for future in refused]
        assert {type(error) for error in errors} == {DatabaseBusy}

    assert writer.submit(_adds("later")).result(10) == "later"
    assert not Total.objects.filter(name__startswith="refused").exists()


@pytest.mark.usefixtures("impatient")
async def test_reading_goes_on_while_a_stranger_holds_the_lock() -> None:
    with _stranger_locks():
        assert await database.read(Owner.objects.count) == 0
        with pytest.raises(DatabaseBusy):
            await database.write(_adds("refused"))


async def test_what_a_function_raises_is_what_its_caller_gets() -> None:
    def fail() -> None:
        raise ConversationNotFound

    with pytest.raises(ConversationNotFound):
        await database.read(fail)
    with pytest.raises(ConversationNotFound):
        await database.write(fail)


async def test_a_write_happens_though_its_caller_has_gone() -> None:
    gate = threading.Event()
    held = asyncio.create_task(database.write(gate.wait))
    await asyncio.sleep(0)
    leaving = asyncio.create_task(database.write(_adds("kept")))
    await asyncio.sleep(0.05)

    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    gate.set()
    await held

    await database.write(_adds("next"))
    assert await database.read(lambda: _stored("kept")) == 1


async def test_a_slow_write_does_not_hold_up_reading() -> None:
    gate = threading.Event()
    held = asyncio.create_task(database.write(gate.wait))
    await asyncio.sleep(0.05)

    async with asyncio.timeout(5):
        assert await database.read(Owner.objects.count) == 0

    gate.set()
    await held


def test_closing_finishes_what_is_queued(writer: GroupWriter) -> None:
    gate = threading.Event()
    writer.submit(gate.wait)
    futures = [writer.submit(_adds("queued")) for _ in range(20)]
    closing = threading.Thread(target=writer.close)
    closing.start()
    gate.set()
    closing.join(10)

    assert not closing.is_alive()
    assert {future.result(0) for future in futures} == {"queued"}
    assert _stored("queued") == 20


def test_a_closed_writer_opens_again(writer: GroupWriter) -> None:
    writer.submit(_adds("first")).result(10)
    writer.close()
    writer.close()

    assert writer.submit(_adds("second")).result(10) == "second"


def test_a_write_that_comes_while_it_closes_holds_up_nobody(
    writer: GroupWriter,
) -> None:
    gate = threading.Event()
    held = writer.submit(gate.wait)
    closing = threading.Thread(target=writer.close, daemon=True)
    closing.start()
    while writer._thread is not None:
        pass
    late = writer.submit(_adds("late"))
    threading.Timer(0.2, gate.set).start()

    assert held.result(10)
    assert late.result(10) == "late"
    closing.join(10)
    assert not closing.is_alive()
