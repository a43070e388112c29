"""Close the queue's connections for the moment of a fork.

SQLite forbids to carry a connection over a fork (sqlite.org/howtocorrupt.html, 2.6):
the child believes that it holds locks which only its parent has. A worker that reads
the queue forks whenever a pool process or its scheduler has to be replaced.
"""

import functools
import os
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from weakref import WeakSet

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

P = ParamSpec("P")
T = TypeVar("T")

_lock = threading.RLock()
_used: WeakSet[BaseDatabaseWrapper] = WeakSet()  # one per thread


def unforked(func: Callable[P, T]) -> Callable[P, T]:
    """Let no fork happen while the function uses the database."""

    @functools.wraps(func)
    def guarded(*args: P.args, **options: P.kwargs) -> T:
        with _lock:
            wrapper = connections["default"]
            if wrapper not in _used:
                wrapper.inc_thread_sharing()  # another thread may have to close it
                _used.add(wrapper)
            return func(*args, **options)

    return guarded


def _before() -> None:
    _lock.acquire()
    for wrapper in _used:
        if not wrapper.in_atomic_block:
            wrapper.close()


os.register_at_fork(
    before=_before, after_in_parent=_lock.release, after_in_child=_lock.release
)
