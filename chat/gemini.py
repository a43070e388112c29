"""The one door to Google: streams an answer through google-genai, or raises our error.

The SDK is imported when the first client is made: that takes a second and 40 MB, which
a process that never answers (a command, a worker of the queue) does not spend.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx2

from chat import connections, errors, interactions, reachability, retries, upstream
from chat.attempts import Attempt
from chat.breaker import Breaker
from chat.completion import Completion, Piece, Prompt, Text, Thought, Usage
from chat.deadlines import Deadlines
from chat.gemini_config import Config, Decoder, State

if TYPE_CHECKING:
    from google import genai

__all__ = [
    "Completion",
    "Config",
    "GeminiModel",
    "Prompt",
    "State",
    "Text",
    "Thought",
    "Usage",
    "model",
]

Chunks: TypeAlias = AsyncGenerator[Any, None]


@dataclass(slots=True)
class _Connection:
    """The SDK's client over our own pool, the errors of both, interactions if used."""

    client: "genai.Client"
    http: httpx2.AsyncClient
    decoder: Decoder
    failures: tuple[type[Exception], ...]
    pid: int
    interactions: Any = None


class GeminiModel:
    """A `completion.Model`: one client, one pool and one circuit breaker.

    The client is made on first use, so after a fork, and again in a forked child or
    another event loop, because connections belong to one of each.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.breaker = Breaker(
            failures=config.breaker_failures, open_s=config.breaker_open_s
        )
        self._connection: _Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def available(self) -> bool:
        """Tell whether there is a key and no open circuit."""
        return bool(self.config.api_key) and self.breaker.state != "open"

    def describe(self) -> State:
        """Return the state for health checks; makes no call."""
        decoder = self._connection.decoder if self._connection else self.config.decoder
        return State(bool(self.config.api_key), self.breaker.state, decoder)

    def warm(self) -> None:
        """Import the SDK and make the client (1 s), so that the first turn need not."""
        if self.config.api_key and self._connection is None:
            self._connection = _connect(self.config)

    async def close(self) -> None:
        """Close the connections; the next use makes new ones."""
        connection, self._connection, self._loop = self._connection, None, None
        if connection is not None:
            connection.client.close()
            await connection.http.aclose()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield the answer's pieces and, last, one Completion.

        Failures before the first piece are tried again as far as the deadline of the
        first text allows. Cancelling the task that iterates, closing the iterator and
        each of our deadlines close the connection, so the upstream stops too.

        Raises: errors.GeminiError, with the usage and finish reason known so far.
        """
        self.config.require_sendable(prompt)
        if prompt.is_interaction:
            await self._interacting()  # an import is no slowness of the model's
        now = asyncio.get_running_loop().time
        deadlines = self.config.deadlines(now())
        tries = 0
        while True:
            attempt = await self._attempt(prompt, deadlines)
            try:
                async with aclosing(attempt.pieces(self.breaker)) as pieces:
                    async for piece in pieces:
                        yield piece
                completion = attempt.completion()
            except errors.GeminiError as error:
                attempt.note(error)
                wait_s = self._wait_s(error, tries, deadlines.first_text_at - now())
                if attempt.answer.has_begun or wait_s is None:
                    raise
            else:
                yield completion
                return
            tries += 1
            await asyncio.sleep(wait_s)

    async def require(self, name: str) -> None:
        """See that the server answers and has this model; costs no tokens.

        Raises: errors.GeminiError.
        """
        self.config.require_key()
        connection = self._connected()
        await reachability.look_up(
            connection.client,
            name,
            failures=connection.failures,
            secret=self.config.api_key,
        )

    async def delete_interaction(self, interaction_id: str) -> None:
        """Delete what the provider keeps; to have nothing to delete is fine.

        Raises: errors.GeminiError.
        """
        self.config.require_key()
        connection = await self._interacting()
        await interactions.delete(
            connection.interactions,
            interaction_id,
            failures=connection.failures,
            secret=self.config.api_key,
        )

    def _wait_s(
        self, error: errors.GeminiError, tries: int, budget_s: float
    ) -> float | None:
        """Return how long to wait before another try; None: the error is final."""
        if self.breaker.state == "open":
            return None
        return retries.wait_s(
            error,
            retries=tries,
            max_retries=self.config.max_retries,
            budget_s=budget_s,
        )

    async def _attempt(self, prompt: Prompt, deadlines: Deadlines) -> Attempt:
        """Prepare one call; nothing is sent before its pieces are asked for."""
        if prompt.is_interaction:
            connection = await self._interacting()
            chunks = interactions.chunks(
                connection.interactions.with_streaming_response,
                prompt,
                thinking_level=self.config.thinking_level,
                failures=connection.failures,
            )
        else:
            connection = self._connected()
            chunks = _DECODERS[connection.decoder](
                connection.client, prompt, self.config
            )
        return Attempt(
            prompt=prompt,
            chunks=chunks,
            failures=(*connection.failures, upstream.Reported),
            secret=self.config.api_key,
            deadlines=deadlines,
        )

    def _connected(self) -> _Connection:
        loop = asyncio.get_running_loop()
        connection = self._connection
        is_ours = self._loop in {None, loop}
        if connection is None or connection.pid != os.getpid() or not is_ours:
            connection = self._connection = _connect(self.config)
        self._loop = loop
        return connection

    async def _interacting(self) -> _Connection:
        """Return the connection with the SDK's interactions.

        Importing them takes a second or two, in which the event loop goes on.
        """
        connection = self._connected()
        if connection.interactions is None:
            await asyncio.to_thread(_add_interactions, connection)
        return connection


@cache
def model() -> GeminiModel:
    """Return this process's model, configured by the settings."""
    return GeminiModel(Config.from_settings())


def _connect(config: Config) -> _Connection:
    """Make a client that nothing in the environment can point elsewhere.

    With a pool of its own the SDK would change to aiohttp wherever that is installed.
    """
    from google import genai
    from google.genai import errors as sdk_errors
    from google.genai import types

    os.environ["GOOGLE_GENAI_HTTP_CLIENT"] = "httpx2"
    http = connections.pool(
        max_connections=config.max_connections,
        connect_timeout_s=config.connect_timeout_s,
    )
    client = genai.Client(
        enterprise=False,
        api_key=config.api_key,
        http_options=types.HttpOptions(
            base_url=config.base_url,
            api_version=config.api_version,
            timeout=ceil(config.total_deadline_s * 1000),
            httpx_async_client=http,
            # Unasked it tries interactions five times, and waits as it likes.
            retry_options=types.HttpRetryOptions(attempts=1),
        ),
    )
    decoder = config.decoder if connections.has_raw_transport(client) else "public"
    failures = (sdk_errors.APIError, httpx2.HTTPError, ValueError)
    return _Connection(client, http, decoder, failures, os.getpid())


def _add_interactions(connection: _Connection) -> None:
    """Import the part of the SDK that knows interactions; its errors are others."""
    from google.genai import _interactions

    connection.failures += (_interactions.APIError,)
    connection.interactions = connection.client.aio.interactions


async def _raw_chunks(client: "genai.Client", prompt: Prompt, config: Config) -> Chunks:
    """Stream over the SDK's own transport, without its objects: a third of the CPU.

    That transport is no public interface, so `connections` is asked first.
    """
    from google.genai.errors import APIError

    api = client._api_client
    model = prompt.model if "/" in prompt.model else f"models/{prompt.model}"
    request = api._build_request(
        "post",
        f"{model}:streamGenerateContent?alt=sse",
        prompt.body(thinking_level=config.thinking_level),
    )
    async for chunk in await api._async_request_once(request, stream=True):
        if isinstance(chunk, dict) and "error" in chunk:
            raise APIError(0, chunk)
        yield chunk


async def _public_chunks(
    client: "genai.Client", prompt: Prompt, config: Config
) -> Chunks:
    """Stream through the SDK's documented method, chunks as the same plain dicts."""
    from google.genai import types

    options = types.GenerateContentConfig(
        system_instruction=prompt.system_instruction,
        max_output_tokens=prompt.max_output_tokens,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
    )
    if config.thinking_level:
        options.thinking_config = types.ThinkingConfig(
            thinking_level=types.ThinkingLevel(config.thinking_level)
        )
    async for chunk in await client.aio.models.generate_content_stream(
        model=prompt.model, contents=prompt.contents, config=options
    ):
        yield chunk.model_dump(mode="json", by_alias=True, exclude_none=True)


_DECODERS: dict[Decoder, Callable[["genai.Client", Prompt, Config], Chunks]] = {
    "raw": _raw_chunks,
    "public": _public_chunks,
}
