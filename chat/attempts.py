"""One call to the model: its pieces, its deadlines, and what goes wrong with it."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2

from chat import connections, errors, interactions, upstream
from chat.answer import Answer
from chat.breaker import Breaker
from chat.completion import Completion, Prompt, Said
from chat.deadlines import Deadlines, missed

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call; `chunks` makes it and yields what `answer` can read.

    `failures` are the errors that `chunks` may raise; `secret` is the key, which no
    error may repeat.
    """

    prompt: Prompt
    chunks: AsyncGenerator[Any, None]
    failures: tuple[type[Exception], ...]
    secret: str
    deadlines: Deadlines
    answer: Answer = field(default_factory=Answer)

    def completion(self) -> Completion:
        """Return the good end, after the last piece. Raises: errors.GeminiError."""
        return self.answer.completion()

    def note(self, error: errors.GeminiError) -> None:
        """Add to an error what is known of the answer so far."""
        error.usage = self.answer.usage
        error.finish_reason = self.answer.finish_reason
        error.interaction_id = self.answer.interaction_id

    async def pieces(self, breaker: Breaker) -> AsyncGenerator[Said, None]:
        """Make the call and yield its pieces.

        Closing the response ends the upstream's work, however this ends.

        Raises: errors.GeminiError.
        """
        response: httpx2.Response | None = None
        connections.forget()
        try:
            async with aclosing(self.chunks):
                with breaker.passage() as upstream_works:
                    while (pieces := await self._next()) is not None:
                        response = response or connections.opened()
                        upstream_works()
                        for piece in pieces:
                            yield piece
        finally:
            if response := response or connections.opened():
                await response.aclose()

    async def _next(self) -> list[Said] | None:
        """Return the next chunk's pieces; None: the stream has ended.

        What goes wrong after the finish reason spoils nothing: the answer is complete.

        Raises: errors.GeminiError.
        """
        until, deadline = self.deadlines.next(
            asyncio.get_running_loop().time(),
            has_begun=self.answer.has_begun,
            has_ended=self.answer.has_ended,
        )
        try:
            async with asyncio.timeout_at(until):
                return self.answer.read(await anext(self.chunks))
        except StopAsyncIteration:
            return None
        except self.failures as error:
            failure = self._translated(error)
        except TimeoutError:
            failure = missed(deadline)
        if self.answer.has_ended:
            return None
        logger.warning("the model failed: %s (%s)", failure.reason, failure.upstream)
        raise failure

    def _translated(self, error: Exception) -> errors.GeminiError:
        failure = upstream.translated(
            error,
            has_begun=self.answer.has_begun,
            secret=self.secret,
            now=datetime.now(UTC),
        )
        if self.prompt.is_interaction and not self.answer.has_begun:
            missing = interactions.missing(error, self.prompt)
            return missing(upstream=failure.upstream) if missing else failure
        return failure
