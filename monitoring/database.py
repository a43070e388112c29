"""Whether the database can be read and written."""

from contextlib import closing
from typing import Any

from django.db import Error, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from monitoring.models import Total
from monitoring.registry import DEGRADED, HEALTHY, UNHEALTHY, Health

_LOCK_WAIT_S = 0.5
_NAME = "health_check"
_WRITE = """
INSERT INTO monitoring_total (name, value) VALUES (%s, 1)
ON CONFLICT (name) DO UPDATE SET value = monitoring_total.value + 1
"""
# What SQLite and PostgreSQL say when others hold what we wanted.
_BUSY = ("locked", "lock timeout", "statement timeout")


def reading() -> Health:
    """Read a table of ours: without the migrations nothing else works either."""
    try:
        Total.objects.exists()
    except Error as error:
        return Health(UNHEALTHY, f"It can't be read: {type(error).__name__}.")
    return Health(HEALTHY, "It can be read.")


def writing() -> Health:
    """Write a row and roll it back, without waiting long for a lock."""
    with closing(_impatient()) as own:
        try:
            _write_and_undo(own)
        except OperationalError as error:
            if any(word in str(error) for word in _BUSY):
                return Health(
                    DEGRADED, f"It is busy: a write waited {_LOCK_WAIT_S} s in vain."
                )
            return _cannot_write(error)
        except Error as error:
            return _cannot_write(error)
    return Health(HEALTHY, "It can be written.")


def _impatient() -> BaseDatabaseWrapper:
    """Return a connection of our own that does not wait long for a lock."""
    own: BaseDatabaseWrapper = connection.copy()
    options: dict[str, Any] = own.settings_dict["OPTIONS"]
    if own.vendor == "sqlite":
        options["timeout"] = _LOCK_WAIT_S
    elif own.vendor == "postgresql":
        limit = f"-c lock_timeout={int(_LOCK_WAIT_S * 1000)}"
        options["options"] = f"{options.get('options', '')} {limit}".strip()
    return own


def _write_and_undo(own: BaseDatabaseWrapper) -> None:
    own.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        with own.cursor() as cursor:
            cursor.execute(_WRITE, [_NAME])
    finally:
        own.rollback()


def _cannot_write(error: Error) -> Health:
    return Health(UNHEALTHY, f"It can't be written: {type(error).__name__}.")
