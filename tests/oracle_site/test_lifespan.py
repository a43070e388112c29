"""A web process starts, whatever state the database is in."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async

from chat import database
from oracle_site import lifespan
from tests.chat import stored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_connection_is_left() -> Iterator[None]:
    yield
    database.close()


async def test_a_database_that_lets_nobody_write_does_not_keep_it_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifespan, "_TIDY_S", 0.1)
    is_free = threading.Event()
    database.post(is_free.wait)

    await asyncio.wait_for(lifespan.tidy_up(), 30)

    assert not is_free.is_set()
    is_free.set()


async def test_a_row_that_makes_no_sense_does_not_keep_it_from_starting() -> None:
    await sync_to_async(stored.registered)(process="nobody")

    await lifespan.tidy_up()
