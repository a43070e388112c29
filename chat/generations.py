"""The running answer: started, flushed, followed, stopped, ended, drained.

An answer belongs to the process that makes it, not to the request that asked for it:
a closed tab changes nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from math import inf
from time import perf_counter

import structlog
from django.conf import settings

from chat import database, records, verdicts
from chat.background import carried, detached
from chat.completion import Completion, Text
from chat.errors import (
    AnswerCutShort,
    ChatError,
    DatabaseBusy,
    GeminiError,
    Overloaded,
    ShuttingDown,
)
from chat.exchanges import Exchange
from chat.feeds import Event, Feed, RemoteFeeds
from chat.models import Generation
from chat.plans import Plan
from chat.records import Outcome
from chat.session_keeper import SessionKeeper
from chat.verdicts import Verdict

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 0.05


class Live:
    """An answer that this process is making."""

    def __init__(self, *, generation_id: int, message_id: int, so_far: str) -> None:
        self.generation_id = generation_id
        self.message_id = message_id
        self.feed = Feed(so_far)
        self.task: asyncio.Task[None] | None = None
        self.has_begun = False
        self.is_cancelled = False
        self.is_ending = False
        self.flushed_length = self.feed.length
        self.cancelled_as = Generation.Status.INTERRUPTED
        self.first_text_at: float | None = None

    def cancel(self, status: Generation.Status) -> None:
        """End it early with this status; too late once it is being stored.

        A task that is cancelled before its first step would never run, so never store
        its end: it is left to see for itself.
        """
        if self.is_ending:
            return
        self.cancelled_as = status
        self.is_cancelled = True
        if self.task is not None and self.has_begun:
            self.task.cancel()

    def progress(self) -> records.Progress:
        """Say what is new since the last flush."""
        is_dirty = self.feed.length != self.flushed_length
        content = self.feed.text() if is_dirty else None
        return records.Progress(self.generation_id, self.message_id, content)


class Engine:
    """All answers of this process on one event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._closes_at = inf
        self._lives: dict[int, Live] = {}
        self._opening_count = 0
        self._stream_count = 0
        self._remote = RemoteFeeds()
        self._sessions = SessionKeeper()
        self._flusher: asyncio.Task[None] | None = None
        self._flushed_at = 0.0

    @contextmanager
    def admission(self) -> Iterator[None]:
        """Hold a place for one answer. Raises: ShuttingDown, Overloaded."""
        if self.loop.time() >= self._closes_at:
            raise ShuttingDown
        if len(self._lives) + self._opening_count >= settings.MAX_RUNNING_GENERATIONS:
            raise Overloaded
        self._opening_count += 1
        try:
            yield
        finally:
            self._opening_count -= 1

    def start(
        self, *, generation_id: int, message_id: int, so_far: str, plan: Plan
    ) -> None:
        """Begin an answer whose opening is already stored."""
        live = Live(generation_id=generation_id, message_id=message_id, so_far=so_far)
        self._lives[generation_id] = live
        live.task = carried(self._make(live, Exchange(plan, message_id=message_id)))
        if self._flusher is None or self._flusher.done():
            self._flusher = detached(self._flush_while_live())

    async def follow(self, generation_id: int, after: int = 0) -> AsyncGenerator[Event]:
        """Yield the answer's text behind `after` characters, then its end.

        Works for answers of any process. Raises: Overloaded over `MAX_STREAMS`.
        """
        if self._stream_count >= settings.MAX_STREAMS:
            raise Overloaded
        self._stream_count += 1
        try:
            async with aclosing(self._events(generation_id, after)) as events:
                async for event in events:
                    yield event
        finally:
            self._stream_count -= 1

    async def wait(self, generation_id: int) -> None:
        """Return when the answer has ended and is stored."""
        async with aclosing(self._events(generation_id, 0)) as events:
            async for _ in events:
                pass

    async def _events(self, generation_id: int, after: int) -> AsyncGenerator[Event]:
        if live := self._lives.get(generation_id):
            async for event in live.feed.read(after):
                yield event
            return
        with self._remote.watching(generation_id) as feed:
            async for event in feed.read(after):
                yield event

    def stop(self, generation_id: int) -> None:
        """Stop an answer of this process at once; others see the request themselves."""
        if live := self._lives.get(generation_id):
            live.cancel(Generation.Status.STOPPED)

    def close_in(self, patience_s: float) -> None:
        """Take no new answers then, and interrupt those that still run.

        Until then a request that still reaches this process is answered.
        """
        self._closes_at = self.loop.time() + patience_s
        self.loop.call_at(self._closes_at, self._interrupt)

    async def ended(self) -> None:
        """Return when no answer runs or is being opened, and all are stored."""
        while self._lives or self._opening_count:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self.loop.time() >= self._closes_at:
                self._interrupt()

    def _interrupt(self) -> None:
        for live in self._lives.values():
            live.cancel(Generation.Status.INTERRUPTED)

    async def _make(self, live: Live, exchange: Exchange) -> None:
        live.has_begun = True
        try:
            outcome = await self._answer(live, exchange, perf_counter())
            live.is_ending = True
            is_ours = await database.insist(
                partial(
                    records.end,
                    conversation_id=exchange.conversation_id,
                    generation_id=live.generation_id,
                    message_id=live.message_id,
                    outcome=outcome,
                )
            )
            told = outcome.told()
            log.info("generation.ended", generation=live.generation_id, **told)
            if is_ours and outcome.session is not None:
                self._sessions.keep(outcome.session)
        except Exception:
            # Nobody renews its heartbeat from now on, so it is reaped, not stuck.
            log.exception("generation.not_saved", generation=live.generation_id)
        finally:
            self._lives.pop(live.generation_id, None)
            live.feed.end()

    async def _answer(
        self, live: Live, exchange: Exchange, started_at: float
    ) -> Outcome:
        """Read the model to its end, whatever that is."""
        verdict = await self._verdict(live, exchange)
        completion, error = verdict.completion, verdict.error
        usage = completion.usage if completion else getattr(error, "usage", None)
        first = live.first_text_at
        return Outcome(
            status=verdict.status,
            content=live.feed.text(),
            finish_reason=verdict.finish_reason,
            usage=usage or records.NOT_REPORTED,
            model_version=(completion.model_version or "") if completion else "",
            signatures=list(completion.signatures) if completion else [],
            error=error,
            time_to_first_token_ms=(first - started_at) * 1000 if first else None,
            duration_ms=(perf_counter() - started_at) * 1000,
            strategy=exchange.strategy.name,
            session_outcome=exchange.outcome,
            session_note=exchange.note,
            session_ms=exchange.session_ms if exchange.outcome else None,
            session=exchange.after(live.feed.text(), completion)
            if completion and verdict.is_good
            else None,
            model=exchange.model,
            interaction_ids=exchange.interaction_ids,
            interaction_id=(completion and completion.interaction_id) or "",
        )

    async def _verdict(self, live: Live, exchange: Exchange) -> Verdict:
        try:
            if live.is_cancelled:
                raise asyncio.CancelledError
            return verdicts.on_completion(await self._read(live, exchange))
        except asyncio.CancelledError:
            if live.cancelled_as == Generation.Status.STOPPED:
                return Verdict(Generation.Status.STOPPED)
            interruption = ShuttingDown("The answer was interrupted by a restart.")
            return Verdict(Generation.Status.INTERRUPTED, error=interruption)
        except ChatError as error:
            return verdicts.on_error(error, has_text=live.feed.length > 0)
        except Exception:
            log.exception("generation.failed", generation=live.generation_id)
            surprise = GeminiError("The answer failed for an unexpected reason.")
            return verdicts.on_error(surprise, has_text=live.feed.length > 0)

    async def _read(self, live: Live, exchange: Exchange) -> Completion | None:
        """Pass the model's text on; None when the answer grew too long."""
        async with aclosing(exchange.pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    return piece
                if isinstance(piece, Text):
                    live.first_text_at = live.first_text_at or perf_counter()
                    live.feed.append(piece.text)
                    if live.feed.length > settings.MAX_ANSWER_CHARS:
                        return None
        raise AnswerCutShort

    async def _flush_while_live(self) -> None:
        while self._lives:
            await asyncio.sleep(settings.FLUSH_INTERVAL_S)
            try:
                await self._flush()
            except DatabaseBusy:
                log.warning("generations.flush_failed", count=len(self._lives))
            except Exception:
                # Loud, but the other answers must go on being stored.
                log.exception("generations.flush_failed", count=len(self._lives))

    async def _flush(self) -> None:
        lives = [live for live in self._lives.values() if not live.is_ending]
        if not lives:
            return
        progress = [live.progress() for live in lives]
        lengths = [live.feed.length for live in lives]
        is_due = self.loop.time() - self._flushed_at > settings.HEARTBEAT_INTERVAL_S
        if is_due or any(item.content is not None for item in progress):
            self._flushed_at = self.loop.time()
            stopped, held = await database.write(partial(records.flush, progress))
        else:
            ids = [live.generation_id for live in lives]
            stopped, held = await database.read(partial(records.signals, ids))
        for live, length in zip(lives, lengths, strict=True):
            if live.generation_id not in held:
                live.cancel(Generation.Status.INTERRUPTED)
            elif live.generation_id in stopped:
                live.cancel(Generation.Status.STOPPED)
            live.flushed_length = length


_engine: Engine | None = None


def engine() -> Engine:
    """Return this process's engine on the running event loop."""
    global _engine  # noqa: PLW0603 - one per process, made after the fork
    if _engine is None or _engine.loop is not asyncio.get_running_loop():
        _engine = Engine()
    return _engine
