"""The end of a web process does not wait for a database that hangs."""

import asyncio
import threading

import pytest
from django.db import connection

from chat import database
from tests.faults.workers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_reading", [True, False])
async def test_closing_leaves_a_thread_that_hangs(*, is_reading: bool) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def hang() -> bool:
        hangs.set()
        return goes_on.wait(60) and connection.connection is None

    hung = asyncio.create_task((database.read if is_reading else database.write)(hang))
    await asyncio.to_thread(wait_until, hangs.is_set)

    await asyncio.to_thread(database.close)

    assert not hung.done()
    goes_on.set()
    await hung
    await asyncio.to_thread(database.close)
