"""A circuit breaker: what fails again and again is left alone for a while."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from chat import errors

State = Literal["closed", "open", "half_open"]

PROBE_RETRY_AFTER_S = 1.0


class Breaker:
    """Counts outages in a row; for one event loop, so it needs no lock.

    Closed: all calls pass. After `failures` outages in a row it is open: no call passes
    for `open_s` seconds. Then half open: one call goes ahead and its outcome decides.
    """

    def __init__(
        self,
        *,
        failures: int,
        open_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._open_s = open_s
        self._clock = clock
        self._outages_in_a_row = 0
        self._opened_at: float | None = None
        self._is_probing = False

    @property
    def state(self) -> State:
        """Return the state now."""
        if self._opened_at is None:
            return "closed"
        return "open" if self._rest_s() > 0 else "half_open"

    @contextmanager
    def passage(self) -> Iterator[Callable[[], None]]:
        """Guard one call; the value is to be called as soon as the upstream works.

        An error that is no outage (a refused key, a full quota) also shows a working
        upstream; a cancelled call shows nothing.

        Raises: errors.CircuitOpen when the call may not be made now.
        """
        is_probe = self._admit()
        try:
            yield self._close
        except errors.GeminiError as error:
            self._record(error)
            raise
        finally:
            if is_probe:
                self._is_probing = False

    def _admit(self) -> bool:
        """Return whether this call is the probe. Raises: errors.CircuitOpen."""
        rest_s = self._rest_s()
        if rest_s > 0:
            raise errors.CircuitOpen(retry_after_s=rest_s)
        if self._opened_at is None:
            return False
        if self._is_probing:
            raise errors.CircuitOpen(retry_after_s=PROBE_RETRY_AFTER_S)
        self._is_probing = True
        return True

    def _record(self, error: errors.GeminiError) -> None:
        if not error.is_outage:
            self._close()
            return
        self._outages_in_a_row += 1
        if self._outages_in_a_row >= self._failures and self.state != "open":
            self._opened_at = self._clock()

    def _close(self) -> None:
        self._outages_in_a_row = 0
        self._opened_at = None

    def _rest_s(self) -> float:
        """Return the seconds until a call may pass; 0 or less: now."""
        if self._opened_at is None:
            return 0.0
        return self._opened_at + self._open_s - self._clock()
