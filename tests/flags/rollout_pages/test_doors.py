"""The way of long readings past everything else."""

import asyncio
import threading
import time

from flags.rollout_pages import doors

_MANY = 40  # more than the event loop has threads of its own


async def test_long_readings_keep_no_thread_that_others_need() -> None:
    go_on = threading.Event()
    readings = [
        asyncio.create_task(doors.aside(lambda: go_on.wait(20))) for _ in range(_MANY)
    ]
    await asyncio.sleep(0.2)
    began = time.monotonic()

    try:
        await asyncio.to_thread(lambda: None)
        waited_s = time.monotonic() - began
    finally:
        go_on.set()

    assert all(await asyncio.gather(*readings))
    assert waited_s < 5
