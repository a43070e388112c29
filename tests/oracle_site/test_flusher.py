"""What a web process counts reaches the database, or is kept until it can."""

import asyncio
from collections.abc import Iterator

import pytest
from django.db import connection

from chat import database
from monitoring import metrics, pending
from oracle_site import flusher
from tests.chat import stored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_waits() -> Iterator[None]:
    pending.take(is_counting=True)
    yield
    pending.take(is_counting=True)
    database.close()


def _total(name: str) -> int | None:
    return metrics.totals(name)[name]


def _hide(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")


async def test_what_is_kept_is_written_once() -> None:
    pending.add({"flushed": 3})

    await flusher.flush()
    await flusher.flush()

    assert await database.read(lambda: _total("flushed")) == 3


async def test_it_is_written_at_the_end_without_waiting_for_the_second() -> None:
    flusher.start()
    pending.add({"flushed": 2})

    await flusher.stop()

    assert await database.read(lambda: _total("flushed")) == 2


async def test_it_is_written_by_itself_within_seconds() -> None:
    flusher.start()
    pending.add({"flushed": 2})

    async with asyncio.timeout(10):
        while await database.read(lambda: _total("flushed")) != 2:
            await asyncio.sleep(0.05)

    await flusher.stop()


async def test_what_could_not_be_written_is_written_later() -> None:
    pending.add({"flushed": 2})
    await database.write(lambda: _hide("monitoring_total", "hidden_total"))

    try:
        await flusher.flush()
    finally:
        await database.write(lambda: _hide("hidden_total", "monitoring_total"))
    pending.add({"flushed": 1})
    await flusher.flush()

    assert await database.read(lambda: _total("flushed")) == 3


async def test_nothing_is_written_while_tracking_is_off() -> None:
    await database.write(lambda: stored.put(ENABLE_PERFORMANCE_TRACKING=False))
    pending.add({"flushed": 2})

    await flusher.flush()

    assert await database.read(lambda: _total("flushed")) is None
    assert not pending.is_on()
