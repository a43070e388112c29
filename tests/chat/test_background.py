"""What work takes along of the request that began it, and what it leaves behind."""

import asyncio
import threading
from contextvars import ContextVar

import structlog

from chat import background

_of_the_request: ContextVar[str] = ContextVar("_of_the_request", default="nothing")


async def _known() -> tuple[dict[str, str], str]:
    await asyncio.sleep(0)
    return background.known(), _of_the_request.get()


async def test_detached_work_knows_nothing_of_the_request() -> None:
    _of_the_request.set("its own thread")

    with structlog.contextvars.bound_contextvars(request_id="asked-by-7"):
        task = background.detached(_known())

    assert await task == ({}, "nothing")


async def test_carried_work_keeps_the_id_and_nothing_else() -> None:
    _of_the_request.set("its own thread")

    with structlog.contextvars.bound_contextvars(request_id="asked-by-7"):
        task = background.carried(_known())

    assert await task == ({"request_id": "asked-by-7"}, "nothing")


async def test_work_carried_from_carried_work_keeps_the_id_too() -> None:
    async def begin() -> tuple[dict[str, str], str]:
        return await background.carried(_known())

    with structlog.contextvars.bound_contextvars(request_id="asked-by-7"):
        task = background.carried(begin())

    assert await task == ({"request_id": "asked-by-7"}, "nothing")


def test_a_function_for_another_thread_has_the_id_while_it_runs() -> None:
    seen = []
    with structlog.contextvars.bound_contextvars(request_id="asked-by-7"):
        run = background.named(lambda: seen.append(background.known()))

    def work() -> None:
        run()
        seen.append(background.known())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [{"request_id": "asked-by-7"}, {}]
