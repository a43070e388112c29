"""Lets a few requests run at a time and the others wait in the order they came."""

import asyncio
from collections import deque

from .errors import ApiError

_RETRY_AFTER_S = 5


class Turnstile:
    """A bounded first-come, first-served queue before a fixed number of slots."""

    def __init__(self, *, slots: int, capacity: int) -> None:
        self.running = 0
        self._slots = slots
        self._capacity = capacity
        self._waiting: deque[asyncio.Event] = deque()

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def check(self) -> None:
        """Refuse when one more could not even wait.

        Raises:
            ApiError: 429 with the time after which to try again.
        """
        if self.running >= self._slots and self.queued >= self._capacity:
            message = f"All slots are taken and {self.queued} requests are waiting."
            raise ApiError(429, message, retry_after_s=_RETRY_AFTER_S)

    def join(self) -> asyncio.Event:
        """Take a place; its event is set when it is this request's turn.

        Every place must be given back to `leave`.

        Raises:
            ApiError: 429, there is no place left.
        """
        self.check()
        place = asyncio.Event()
        if self.running < self._slots:
            self.running += 1
            place.set()
        else:
            self._waiting.append(place)
        return place

    def leave(self, place: asyncio.Event) -> None:
        """Give a place back, whether its turn had come or not."""
        if not place.is_set():
            self._waiting.remove(place)
        elif self._waiting:
            self._waiting.popleft().set()
        else:
            self.running -= 1
