"""Reads what the public status page shows, again and again, beside all requests.

However many ask for the page, and however slow the database is, no request waits: it
gets what was read last, or that nothing can be told.
"""

import threading
import time
from dataclasses import dataclass

import structlog
from django.db import Error, connection
from django.template.loader import render_to_string
from django.utils import timezone

from monitoring import probing, registry
from monitoring.responding import status_page
from monitoring.responding.status_page import Snapshot
from oracle_site.conf import PUBLIC_STATUS_PAGE

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 4.0
_STALE_S = 30.0
_JOIN_S = 2.5
_WRITING = "database_write"
_thread: threading.Thread | None = None
_ending = threading.Event()
_seen: "tuple[float, Page] | None" = None


@dataclass(frozen=True, slots=True)
class Page:
    """Whether it is switched on, and what it shows; None: nothing can be told.

    `html` was made of the snapshot once, so that no request has to.
    """

    is_on: bool
    snapshot: Snapshot | None = None
    html: str = ""


def follow() -> None:
    """Look from now on; safe to repeat."""
    global _thread, _ending  # noqa: PLW0603 - one of each per process
    if _thread is None or not _thread.is_alive():
        _ending = threading.Event()
        _thread = threading.Thread(
            target=_look_until, args=[_ending], name="oracle-status", daemon=True
        )
        _thread.start()


def leave() -> None:
    """Look no longer; a database that hangs does not hold up the end."""
    _ending.set()
    if _thread is not None:
        _thread.join(_JOIN_S)


def latest(*, now_s: float | None = None) -> Page:
    """Return what was seen last; what is too old tells nothing. Asks nobody."""
    if _seen is None:
        return Page(PUBLIC_STATUS_PAGE.fallback())
    at_s, page = _seen
    is_old = (time.monotonic() if now_s is None else now_s) - at_s > _STALE_S
    return Page(page.is_on) if is_old else page


def look() -> None:
    """Read it now."""
    global _seen  # noqa: PLW0603 - one per process
    try:
        page = _read()
    except Error:
        connection.close()
        page = Page(latest().is_on)
    _seen = (time.monotonic(), page)


def render(snapshot: Snapshot | None) -> str:
    """Return the page as HTML."""
    return render_to_string("monitoring/status.html", {"snapshot": snapshot})


def forget() -> None:
    """Know nothing, as at the start."""
    global _seen  # noqa: PLW0603 - one per process
    _seen = None


def _read() -> Page:
    if not PUBLIC_STATUS_PAGE.get():
        return Page(is_on=False)
    # The worker, who runs the checks, can't keep what they find where nothing is kept.
    asked = probing.findings([registry.probe(_WRITING)])
    snapshot = status_page.read(timezone.now(), asked=asked)
    return Page(is_on=True, snapshot=snapshot, html=render(snapshot))


def _look_until(ending: threading.Event) -> None:
    try:
        while not ending.is_set():
            _look_calmly()
            ending.wait(LOOK_EVERY_S)
    finally:
        connection.close()


def _look_calmly() -> None:
    """Look, and survive what nobody expected: without this thread the page is blind."""
    try:
        look()
    except Exception:
        log.exception("status.failed")
