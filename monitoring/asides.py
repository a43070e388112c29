"""Threads of monitoring's own: its questions and the chat's never wait for each other.

The rest of the site's synchronous code shares one thread, in which a database that
hangs would stop the chat's answers, too.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.db import connection

T = TypeVar("T")

PATIENCE_S = 2.5
_threads = ThreadPoolExecutor(4, thread_name_prefix="oracle-monitoring")
# For `/health` alone: long pages must not make the whole site seem to be ill.
_vital = ThreadPoolExecutor(1, thread_name_prefix="oracle-health")
# One: a disk that hangs keeps no second thread.
_machine = ThreadPoolExecutor(1, thread_name_prefix="oracle-machine")


async def read(run: Callable[[], T]) -> T:
    """Run a function of queries; the caller waits for `PATIENCE_S` at most.

    Raises: TimeoutError, and whatever `run` raises.
    """
    return await _patiently(_threads, partial(_read, run))


async def read_health(run: Callable[[], T]) -> T:
    """Do the same on the thread that nothing but `/health` uses."""
    return await _patiently(_vital, partial(_read, run))


async def look(run: Callable[[], T]) -> T:
    """Run a function that asks the machine, likewise. Raises: TimeoutError."""
    return await _patiently(_machine, run)


async def _patiently(threads: ThreadPoolExecutor, run: Callable[[], T]) -> T:
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.get_running_loop().run_in_executor(threads, run)


def _read(run: Callable[[], T]) -> T:
    """Drop a connection that failed, or that a server has closed since.

    These threads keep theirs from call to call; over each that was cut, one question
    would be answered as if the database were gone.
    """
    is_stale = connection.connection is not None and not connection.is_usable()
    if is_stale or connection.errors_occurred:
        connection.close()
        connection.errors_occurred = False
    return run()
