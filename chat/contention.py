"""What PostgreSQL does with transactions that want the same rows.

SQLite lets only one process write at a time: there are none of these.

Every function is called on the thread of the connection that it is about.
"""

import random
import time

from django.db import IntegrityError, OperationalError, connection

# Errors by PostgreSQL's codes: the lock timeout, a deadlock, a serialisation failure.
_LOCK_NOT_AVAILABLE = "55P03"
_UNDONE = {"40P01", "40001"}
_BRIEFLY = "'10ms'"
_LONGEST_REST_S = 0.02


def wait_briefly() -> None:
    """Let the open transaction wait for a lock for some milliseconds only."""
    _limit_waits(_BRIEFLY)


def wait_as_usual() -> None:
    """Let the open transaction wait for locks as the server is set."""
    _limit_waits("DEFAULT")


def is_held_up(error: OperationalError) -> bool:
    """Tell whether a lock of another transaction was waited for in vain."""
    return _code(error) == _LOCK_NOT_AVAILABLE


def is_undone(error: Exception) -> bool:
    """Tell whether a transaction was surely taken back because of another one.

    A constraint that breaks only at the commit is about what was deleted meanwhile:
    who looks again will see that.
    """
    return isinstance(error, IntegrityError) or _code(error) in _UNDONE


def rest() -> None:
    """Pause for a few milliseconds, so that two don't meet again at once."""
    time.sleep(random.uniform(0, _LONGEST_REST_S))  # noqa: S311 - no secret


def _limit_waits(limit: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {limit}")


def _code(error: Exception) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
