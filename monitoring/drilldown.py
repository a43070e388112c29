"""The way from a figure to the turns behind it; whoever has turns offers a page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsWanted:
    """Turns that began in a window, the end not included; "" and None ask for all.

    `slower_than_ms`: those that took longer than this until they were complete.
    """

    begin: datetime
    end: datetime
    variant: str = ""
    status: str = ""
    error_code: str = ""
    session_outcome: str = ""
    slower_than_ms: float | None = None


@dataclass(frozen=True, slots=True)
class TurnsPage:
    """A page that lists turns, who may see it, and its address for what is wanted."""

    permission: str
    address: Callable[[TurnsWanted], str]


_pages: list[TurnsPage] = []


def register(page: TurnsPage) -> None:
    """Offer a page; the last one counts."""
    _pages[:] = [page]


def page() -> TurnsPage | None:
    """Return the page; None: nobody offers one."""
    return _pages[-1] if _pages else None
