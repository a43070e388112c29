"""Counts that no transaction carries: kept in the process until somebody writes them.

Who flushes says how often, and whether anything is counted at all. A process that is
killed loses what it had not flushed.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_local = threading.local()
_lock = threading.Lock()
_kept: Counter[str] = Counter()
_is_on = True
_is_stirred = False


def add(deltas: Mapping[str, int]) -> None:
    """Keep these until the next flush; from any thread."""
    global _is_stirred  # noqa: PLW0603 - one per process
    held: Counter[str] | None = getattr(_local, "held", None)
    if held is not None:
        held.update(deltas)
        return
    with _lock:
        _is_stirred = True
        if _is_on:
            _kept.update(deltas)


@contextmanager
def settled() -> Iterator[None]:
    """Add what this thread counts once the block has ended well; else it is repeated.

    Unlike `metrics.gathering` it also keeps what is counted by a part that is undone.
    """
    held = _local.held = Counter[str]()
    try:
        yield
    finally:
        _local.held = None
    if held:
        add(held)


def is_on() -> bool:
    """Tell whether anything is kept, for whoever would work out what to add."""
    return _is_on


def stir() -> None:
    """Say that something happened, so that the next flush looks whether it counts."""
    add({})


def is_stirred() -> bool:
    """Tell whether anything was there to count since the last `take`."""
    return _is_stirred


def take(*, is_counting: bool) -> dict[str, int]:
    """Return what is kept and forget it; if off, nothing, and nothing is kept on."""
    global _is_on, _is_stirred, _kept
    with _lock:
        taken, _kept = _kept, Counter()
        _is_on, _is_stirred = is_counting, False
    return dict(taken) if is_counting else {}
