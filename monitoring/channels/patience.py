"""The last guard against receivers that take for ever."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread

from monitoring.channels.message import NotSent

# Above what the channels allow themselves: for a name server that hangs, or a mail
# server that drips.
LONGEST_S = 12.0


def within(run: Callable[[], str], *, longest_s: float = LONGEST_S) -> str:
    """Run it in a thread of its own, which is left alone when it takes too long.

    It must not use the database. Raises: NotSent, and whatever `run` raises.
    """
    done: Future[str] = Future()
    Thread(target=_run, args=[run, done], name="oracle-channel", daemon=True).start()
    try:
        return done.result(longest_s)
    except TimeoutError as error:
        raise NotSent(f"It has not answered within {longest_s:g} s.") from error


def _run(run: Callable[[], str], done: "Future[str]") -> None:
    try:
        done.set_result(run())
    except Exception as error:  # noqa: BLE001 - raised again where somebody waits
        done.set_exception(error)
