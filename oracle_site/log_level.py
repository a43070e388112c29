"""Holds a process that stays to the log level of the control page."""

import threading

import structlog
from django.db import Error, connection

from flags import runtime
from monitoring import logs
from oracle_site.broker.forking import unforked

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 2.0
_JOIN_S = 2.5
_thread: threading.Thread | None = None
_ending = threading.Event()


def follow() -> None:
    """Follow the setting from now on; safe to repeat, and needed again after a fork."""
    global _thread, _ending  # noqa: PLW0603 - one of each per process
    if _thread is None or not _thread.is_alive():
        _ending = threading.Event()
        _thread = threading.Thread(
            target=_look_until, args=[_ending], name="oracle-log-level", daemon=True
        )
        _thread.start()


def leave() -> None:
    """Follow no longer, and give the database connection back.

    A database that hangs does not hold up the end.
    """
    _ending.set()
    if _thread is not None:
        _thread.join(_JOIN_S)


def look() -> None:
    """Take over the level; keep the one that holds while nobody can be asked."""
    try:
        wanted = _wanted()
    except Error:
        connection.close()
        return
    if wanted != (held := logs.level()):
        logs.set_level(wanted)
        log.info("log.level_changed", old=held, new=wanted)


@unforked
def _wanted() -> str:
    # By its name: this is imported before the settings are declared, in their order.
    return str(runtime.find("LOG_LEVEL").get())


def _look_until(ending: threading.Event) -> None:
    try:
        look()
        while not ending.wait(_LOOK_EVERY_S):
            look()
    finally:
        connection.close()
