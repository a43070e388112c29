"""Reading beside the chat, with little patience."""

import threading
import time

import pytest
from django.db import connection

from monitoring import asides


async def test_it_returns_what_was_read() -> None:
    name = await asides.read(lambda: threading.current_thread().name)

    assert name.startswith("oracle-monitoring")


async def test_it_raises_what_was_raised() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await asides.read(fail)


async def test_who_asks_a_database_that_hangs_is_not_held_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asides, "PATIENCE_S", 0.1)
    gate = threading.Event()
    began_at = time.monotonic()

    with pytest.raises(TimeoutError):
        await asides.read(lambda: gate.wait(30))

    assert time.monotonic() - began_at < 2
    gate.set()
    assert await asides.read(lambda: "well again") == "well again"


async def test_a_connection_that_failed_is_not_used_again() -> None:
    def spoil() -> None:
        connection.errors_occurred = True

    def is_spoilt() -> bool:
        return connection.errors_occurred

    for _ in range(8):
        await asides.read(spoil)
        assert not await asides.read(is_spoilt)
