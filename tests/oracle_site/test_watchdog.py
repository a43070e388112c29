"""A web process evaluates the alerts itself while nobody else does."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from chat import database
from monitoring.alerting import engine
from monitoring.channels import sending
from monitoring.models import Watch
from oracle_site import watchdog
from oracle_site.watchdog import Watchdog

pytestmark = pytest.mark.django_db(transaction=True)
_DAY_S = 86_400


@pytest.fixture(autouse=True)
def _no_connection_stays() -> Iterator[None]:
    yield
    database.close()


def _of_old() -> Watchdog:
    """Return one of a process that has run for a day."""
    return Watchdog(began_s=time.monotonic() - _DAY_S)


def _note(at: datetime) -> None:
    Watch.objects.update_or_create(pk=1, defaults={"evaluated_at": at})


async def _evaluated(ago_s: float) -> None:
    at = timezone.now() - timedelta(seconds=ago_s)
    await database.write(lambda: _note(at))


async def _ended(dog: Watchdog) -> None:
    assert dog._thread is not None
    await asyncio.to_thread(dog._thread.join, 20)


async def test_it_leaves_it_to_the_worker_while_that_does_it() -> None:
    await _evaluated(ago_s=60)

    assert not await _of_old().look()


@pytest.mark.parametrize("ago_s", [91, _DAY_S, -_DAY_S])
async def test_it_evaluates_when_nobody_has_for_three_periods(ago_s: float) -> None:
    await _evaluated(ago_s=ago_s)
    dog = _of_old()
    began = timezone.now()

    assert await dog.look()
    await _ended(dog)

    evaluated_at = await database.read(engine.evaluated_at)
    assert evaluated_at is not None
    assert evaluated_at >= began


async def test_it_evaluates_where_nobody_ever_did() -> None:
    dog = _of_old()

    assert await dog.look()
    await _ended(dog)


async def test_it_gives_the_others_of_a_site_that_starts_some_time() -> None:
    await _evaluated(ago_s=_DAY_S)

    assert not await Watchdog(began_s=time.monotonic() - 89).look()


async def test_it_goes_on_at_each_look_until_somebody_else_does_it() -> None:
    await _evaluated(ago_s=_DAY_S)
    dog = _of_old()
    assert await dog.look()
    await _ended(dog)

    assert await dog.look()
    await _ended(dog)
    await _evaluated(ago_s=1)

    assert not await dog.look()
    assert not await dog.look()


async def test_a_second_process_leaves_it_to_the_first() -> None:
    await _evaluated(ago_s=_DAY_S)
    first, second = _of_old(), _of_old()
    assert await first.look()
    await _ended(first)

    assert not await second.look()


async def test_it_waits_for_nothing_and_begins_no_second_time_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(engine, "evaluate", lambda now: gate.wait(20))
    await _evaluated(ago_s=_DAY_S)
    dog = _of_old()

    assert await dog.look()
    assert not await dog.look()
    gate.set()
    await _ended(dog)


@pytest.mark.parametrize("trouble", [OperationalError("away"), ValueError("a bug")])
async def test_trouble_of_an_evaluation_ends_only_that(
    trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(now: datetime) -> int:
        del now
        raise trouble

    monkeypatch.setattr(sending, "deliver", fail)
    await _evaluated(ago_s=_DAY_S)
    dog = _of_old()

    assert await dog.look()
    await _ended(dog)
    assert await dog.look()
    await _ended(dog)


async def test_it_looks_by_itself_and_through_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = []

    async def look(dog: Watchdog) -> bool:
        looks.append(dog)
        if len(looks) == 1:
            raise OperationalError
        return False

    monkeypatch.setattr(watchdog, "_FIRST_LOOK_S", 0.01)
    monkeypatch.setattr(Watchdog, "look", look)
    watchdog.start()
    async with asyncio.timeout(10):
        while len(looks) < 3:
            await asyncio.sleep(0.01)

    await watchdog.stop()
    count = len(looks)
    await asyncio.sleep(0.05)
    assert len(looks) == count
