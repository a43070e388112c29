"""An answer's text as it grows, read by any number of readers at their own pace."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from chat import database, records
from chat.errors import DatabaseBusy
from chat.models import Generation

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delta:
    """New text, and the number of characters of the answer up to its end."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing new for a while: time for a sign of life."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer has ended and is stored."""


Event = Delta | Idle | Ended


class Feed:
    """Append-only text with an end."""

    def __init__(self, text: str = "") -> None:
        self._pieces = [text] if text else []
        self.length = len(text)
        self.has_ended = False
        self._readers: set[asyncio.Event] = set()

    def append(self, text: str) -> None:
        """Add text and wake the readers."""
        self._pieces.append(text)
        self.length += len(text)
        self._wake()

    def end(self) -> None:
        """Say that nothing more comes."""
        self.has_ended = True
        self._wake()

    def text(self) -> str:
        """Return everything so far."""
        if len(self._pieces) > 1:
            return "".join(self._pieces)
        return self._pieces[0] if self._pieces else ""

    async def read(self, after: int) -> AsyncGenerator[Event]:
        """Yield the text behind the first `after` characters, then `Ended`."""
        is_new = asyncio.Event()
        self._readers.add(is_new)
        try:
            position, taken = 0, 0
            while True:
                is_new.clear()
                has_ended = self.has_ended
                text = "".join(self._pieces[taken:])
                taken = len(self._pieces)
                fresh = text[max(0, after - position) :]
                position += len(text)
                if fresh:
                    yield Delta(position, fresh)
                if has_ended:
                    yield Ended()
                    return
                if not is_new.is_set() and not await _is_set_in_time(is_new):
                    yield Idle()
        finally:
            self._readers.discard(is_new)

    def _wake(self) -> None:
        for is_new in self._readers:
            is_new.set()


async def _is_set_in_time(event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(settings.SSE_COMMENT_INTERVAL_S):
            await event.wait()
    except TimeoutError:
        return False
    return True


class RemoteFeeds:
    """Feeds of answers that other processes make: one poller reads for all readers."""

    def __init__(self) -> None:
        self._feeds: dict[int, Feed] = {}
        self._reader_counts: dict[int, int] = {}
        self._poller: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, generation_id: int) -> "Iterator[Feed]":
        """Poll this answer for as long as somebody reads it."""
        feed = self._feeds.setdefault(generation_id, Feed())
        self._reader_counts[generation_id] = (
            self._reader_counts.get(generation_id, 0) + 1
        )
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll_while_read())
        try:
            yield feed
        finally:
            self._reader_counts[generation_id] -= 1
            if not self._reader_counts[generation_id]:
                del self._reader_counts[generation_id], self._feeds[generation_id]

    async def _poll_while_read(self) -> None:
        while self._feeds:
            try:
                await self._poll()
            except DatabaseBusy:
                log.warning("feeds.poll_failed", feeds=len(self._feeds))
            except Exception:
                # Loud, but who reads now must be told of what comes.
                log.exception("feeds.poll_failed", feeds=len(self._feeds))
            await asyncio.sleep(settings.POLL_INTERVAL_S)

    async def _poll(self) -> None:
        feeds = {pk: feed for pk, feed in self._feeds.items() if not feed.has_ended}
        if not feeds:
            return
        sights = await database.read(partial(records.look, list(feeds)))
        for generation_id, feed in feeds.items():
            sight = sights.get(generation_id)
            if sight is None:
                feed.end()
                continue
            if len(sight.content) > feed.length:
                feed.append(sight.content[feed.length :])
            if sight.status != Generation.Status.RUNNING:
                feed.end()
        if any(sight.is_abandoned for sight in sights.values()):
            await database.write(records.reap)
