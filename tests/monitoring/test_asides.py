"""Reading beside the chat, with little patience."""

import asyncio
import shutil
import threading
import time
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import AsyncClient

from monitoring import asides
from tests.flags.processes import on_postgresql, processes

_SERVICES = (
    "__import__('asyncio').run(__import__('monitoring.asides').asides.read("
    "__import__('monitoring.health').health.report))['services']['database']"
)
_CUT_ALL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


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

    assert time.monotonic() - began_at < 15  # it hangs for 30 s
    gate.set()
    monkeypatch.setattr(asides, "PATIENCE_S", 5.0)
    assert await asides.read(lambda: "well again") == "well again"


async def test_a_connection_that_failed_is_not_used_again() -> None:
    def spoil() -> None:
        connection.errors_occurred = True

    def is_spoilt() -> bool:
        return connection.errors_occurred

    for _ in range(8):
        await asides.read(spoil)
        assert not await asides.read(is_spoilt)


def test_a_server_that_was_restarted_is_not_taken_for_gone(tmp_path: Path) -> None:
    with on_postgresql(tmp_path) as env, processes(env, 1) as (process,):
        before = process.ask(_SERVICES)
        with psycopg.connect(env["DATABASE_URL"], autocommit=True) as other:
            other.execute(_CUT_ALL)

        after = process.ask(_SERVICES)

    assert (before, after) == ("connected", "connected")


async def test_a_disk_that_hangs_keeps_one_thread_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asides, "PATIENCE_S", 0.1)
    gate = threading.Event()
    begun = []

    def hang() -> None:
        begun.append(threading.current_thread().name)
        gate.wait(30)

    for _ in range(8):
        with pytest.raises(TimeoutError):
            await asides.look(hang)
    monkeypatch.setattr(asides, "PATIENCE_S", 5.0)
    assert await asides.read(lambda: "not held up") == "not held up"
    gate.set()

    assert await asides.look(lambda: "well again") == "well again"
    assert len(begun) == 1


@pytest.mark.django_db(transaction=True)
async def test_the_details_come_without_the_numbers_of_a_disk_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, real = threading.Event(), shutil.disk_usage
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: (gate.wait(30), real(path))[1]
    )

    async with asyncio.timeout(10):
        answer = await AsyncClient().get(
            "/api/v1/monitoring/health/detailed", REMOTE_ADDR="127.0.0.1"
        )
    gate.set()

    assert answer.status_code == 200
    assert set(answer.json()["system"].values()) == {None}
    assert "has not answered" in answer.json()["checks"]["disk"]["sentence"]


@pytest.mark.django_db(transaction=True)
async def test_pages_that_take_long_do_not_make_the_site_seem_ill() -> None:
    gate = threading.Event()
    slow = [asyncio.create_task(asides.read(lambda: gate.wait(30))) for _ in range(4)]
    await asyncio.sleep(0.1)

    health = await AsyncClient().get("/health")
    gate.set()
    await asyncio.gather(*slow, return_exceptions=True)

    assert health.json()["services"]["database"] == "connected"
