"""The one door to Google: streams an answer through google-genai, or raises our error.

The SDK is imported when the first client is made: that takes a second and 40 MB, which
a process that never answers (a command, a worker of the queue) does not spend.
"""

import asyncio
import inspect
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from itertools import count
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, cast

import httpx2
from django.conf import settings

from chat import breaker, errors, retries, upstream
from chat.answer import Answer
from chat.completion import Piece, Prompt, Text, Thought
from chat.deadlines import Deadlines, missed

if TYPE_CHECKING:
    from google import genai
    from google.genai.errors import APIError

logger = logging.getLogger(__name__)

Decoder: TypeAlias = Literal["raw", "public"]
Chunks: TypeAlias = AsyncIterator[Any]

GOOGLE_URL = "https://generativelanguage.googleapis.com/"
DEFAULT_API_VERSION = "v1"
_KEEPALIVE_EXPIRY_S = 120  # a person thinks longer than the library's 5 s

# The running attempt's response. Closing it makes the server stop; closing the SDK's
# iterators leaves the connection open until they are garbage-collected.
_response: ContextVar[httpx2.Response | None] = ContextVar("response", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How to reach the model and how long to wait for it."""

    api_key: str = field(repr=False)
    base_url: str = GOOGLE_URL
    api_version: str = DEFAULT_API_VERSION
    thinking_level: str = ""
    first_text_deadline_s: float = 30.0
    idle_deadline_s: float = 20.0
    total_deadline_s: float = 300.0
    connect_timeout_s: float = 10.0
    max_retries: int = 2
    max_connections: int = 200
    breaker_failures: int = 5
    breaker_open_s: float = 10.0
    decoder: Decoder = "raw"

    @classmethod
    def from_settings(cls) -> Self:
        """Read Django's settings; an empty address or version means Google's."""
        level = settings.GEMINI_THINKING_LEVEL
        return cls(
            api_key=settings.GEMINI_API_KEY,
            base_url=settings.GEMINI_BASE_URL or GOOGLE_URL,
            api_version=settings.GEMINI_API_VERSION or DEFAULT_API_VERSION,
            thinking_level="" if level == "NONE" else level,
            first_text_deadline_s=settings.GEMINI_FIRST_TEXT_DEADLINE_S,
            idle_deadline_s=settings.GEMINI_IDLE_DEADLINE_S,
            total_deadline_s=settings.GEMINI_TOTAL_DEADLINE_S,
            max_retries=settings.GEMINI_MAX_RETRIES,
            max_connections=settings.GEMINI_MAX_CONNECTIONS,
            breaker_failures=settings.GEMINI_BREAKER_FAILURES,
            breaker_open_s=settings.GEMINI_BREAKER_OPEN_S,
            decoder=settings.GEMINI_STREAM_DECODER,
        )


@dataclass(frozen=True, slots=True)
class State:
    """What health checks may know."""

    is_configured: bool
    breaker: breaker.State


@dataclass(frozen=True, slots=True)
class _Connection:
    """The SDK's client over our own HTTP pool, for one process and event loop."""

    client: "genai.Client"
    http: httpx2.AsyncClient
    decode: "Callable[[genai.Client, Prompt, Config], Chunks]"
    failures: tuple[type[Exception], ...]
    pid: int


class GeminiModel:
    """A `completion.Model`: one client, one pool and one circuit breaker.

    The client is made on first use, so after a fork, and again in a forked child or
    another event loop, because connections belong to one of each.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.breaker = breaker.Breaker(
            failures=config.breaker_failures, open_s=config.breaker_open_s
        )
        self._connection: _Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def describe(self) -> State:
        """Return the state for health checks; no call is made."""
        return State(bool(self.config.api_key), self.breaker.state)

    def warm(self) -> None:
        """Import the SDK and make the client, so that the first turn need not (1 s)."""
        if self.config.api_key:
            self._connection = self._connection or _connect(self.config)

    async def close(self) -> None:
        """Close the connections; the next use makes new ones."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.client.close()
            await connection.http.aclose()

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Yield the answer's pieces and, last, one Completion.

        Failures before the first piece are tried again as far as the deadline of the
        first text allows. Cancelling the task that iterates, closing the iterator and
        each of our deadlines close the connection, so the upstream stops too.

        Raises: errors.GeminiError, with the usage and finish reason known so far.
        """
        self._require_usable_key()
        now = asyncio.get_running_loop().time
        deadlines = Deadlines.starting(
            now(),
            first_text_s=self.config.first_text_deadline_s,
            idle_s=self.config.idle_deadline_s,
            total_s=self.config.total_deadline_s,
        )
        for tries in count():
            answer = Answer()
            try:
                async with aclosing(self._attempt(prompt, answer, deadlines)) as pieces:
                    async for piece in pieces:
                        yield piece
                completion = answer.completion()
            except errors.GeminiError as error:
                error.usage, error.finish_reason = answer.usage, answer.finish_reason
                wait_s = self._wait_s(
                    error, answer, tries, budget_s=deadlines.first_text_at - now()
                )
                if wait_s is None:
                    raise
            else:
                yield completion
                return
            await asyncio.sleep(wait_s)

    def _require_usable_key(self) -> None:
        key = self.config.api_key
        if not key:
            raise errors.GeminiRefused(
                "The service has no API key for the model: the operator must set one.",
                reason="no_key",
            )
        if not (key.isascii() and key.isprintable()):
            raise errors.GeminiRefused(upstream="The key holds impossible characters.")

    def _wait_s(
        self,
        error: errors.GeminiError,
        answer: Answer,
        tries: int,
        *,
        budget_s: float,
    ) -> float | None:
        """Return how long to wait before another try; None: the error is final."""
        wait_s = None
        if not answer.has_begun and self.breaker.state != "open":
            wait_s = retries.wait_s(
                error,
                retries=tries,
                max_retries=self.config.max_retries,
                budget_s=budget_s,
            )
        logger.warning(
            "model call failed: %s (%s); %s",
            error.reason,
            error.upstream,
            "gave up" if wait_s is None else f"trying again in {wait_s:.1f} s",
        )
        return wait_s

    async def _attempt(
        self, prompt: Prompt, answer: Answer, deadlines: Deadlines
    ) -> AsyncIterator[Text | Thought]:
        """Make one call and yield its pieces. Raises: errors.GeminiError."""
        connection = self._connected()
        chunks = connection.decode(connection.client, prompt, self.config)
        response: httpx2.Response | None = None
        _response.set(None)
        try:
            with self.breaker.passage() as upstream_works:
                while (
                    pieces := await self._next(chunks, answer, deadlines, connection)
                ) is not None:
                    response = response or _response.get()
                    upstream_works()
                    for piece in pieces:
                        yield piece
        finally:
            if response := response or _response.get():
                await response.aclose()

    async def _next(
        self,
        chunks: Chunks,
        answer: Answer,
        deadlines: Deadlines,
        connection: _Connection,
    ) -> list[Text | Thought] | None:
        """Return the next chunk's pieces; None: the stream has ended.

        What goes wrong after the finish reason spoils nothing: the answer is complete.

        Raises: errors.GeminiError.
        """
        until, deadline = deadlines.next(
            asyncio.get_running_loop().time(),
            has_begun=answer.has_begun,
            has_ended=answer.has_ended,
        )
        try:
            async with asyncio.timeout_at(until):
                return answer.read(await anext(chunks))
        except StopAsyncIteration:
            return None
        except TimeoutError:
            failure = missed(deadline)
        except connection.failures as error:
            failure = self._translated(error, has_begun=answer.has_begun)
        if answer.has_ended:
            return None
        raise failure

    def _connected(self) -> _Connection:
        loop = asyncio.get_running_loop()
        connection = self._connection
        if (
            connection is None
            or connection.pid != os.getpid()
            or self._loop not in {None, loop}
        ):
            connection = self._connection = _connect(self.config)
        self._loop = loop
        return connection

    def _translated(self, error: Exception, *, has_begun: bool) -> errors.GeminiError:
        """Turn what the SDK or its transport raised into our error."""
        if isinstance(error, httpx2.HTTPError | ValueError):
            return upstream.broken(
                error, has_begun=has_begun, secret=self.config.api_key
            )
        reported = cast("APIError", error)
        return upstream.error_from(
            reported.code,
            reported.details,
            headers=getattr(reported.response, "headers", {}),
            secret=self.config.api_key,
            now=datetime.now(UTC),
        )


@cache
def model() -> GeminiModel:
    """Return this process's model, configured by the settings."""
    return GeminiModel(Config.from_settings())


def _connect(config: Config) -> _Connection:
    """Make a client that nothing in the environment can point elsewhere.

    The pool is ours: with its own, the SDK changes to aiohttp when that happens to be
    installed, and follows redirects with the key in a header.
    """
    from google import genai  # noqa: PLC0415
    from google.genai import errors as sdk_errors  # noqa: PLC0415
    from google.genai import types  # noqa: PLC0415

    os.environ["GOOGLE_GENAI_HTTP_CLIENT"] = "httpx2"
    http = httpx2.AsyncClient(
        limits=httpx2.Limits(
            max_connections=config.max_connections,
            max_keepalive_connections=config.max_connections,
            keepalive_expiry=_KEEPALIVE_EXPIRY_S,
        ),
        event_hooks={
            "request": [partial(_limit_connecting, config.connect_timeout_s)],
            "response": [_accept],
        },
    )
    client = genai.Client(
        enterprise=False,
        api_key=config.api_key,
        http_options=types.HttpOptions(
            base_url=config.base_url,
            api_version=config.api_version,
            timeout=ceil(config.total_deadline_s * 1000),
            httpx_async_client=http,
        ),
    )
    decode = _raw_chunks
    if config.decoder == "public" or not _has_raw_transport(client):
        decode = _public_chunks
    failures = (sdk_errors.APIError, httpx2.HTTPError, ValueError)
    return _Connection(client, http, decode, failures, os.getpid())


async def _limit_connecting(timeout_s: float, request: httpx2.Request) -> None:
    request.extensions["timeout"]["connect"] = timeout_s


async def _accept(response: httpx2.Response) -> None:
    """Remember the response; refuse a good status with anything but events.

    Raises: ValueError.
    """
    kind = response.headers.get("content-type", "")
    if response.status_code == 200 and not kind.startswith("text/event-stream"):
        raise ValueError(f"The answer is {kind[:40]!r} instead of an event stream.")
    _response.set(response)


def _has_raw_transport(client: object) -> bool:
    """Tell whether this SDK has the inner methods that `_raw_chunks` calls."""
    api = getattr(client, "_api_client", None)
    try:
        inspect.signature(api._build_request).bind("post", "path", {})
        inspect.signature(api._async_request_once).bind(object(), stream=True)
    except (AttributeError, TypeError):
        logger.warning("This google-genai has another transport: using its public way.")
        return False
    return True


async def _raw_chunks(client: "genai.Client", prompt: Prompt, config: Config) -> Chunks:
    """Stream over the SDK's own transport, without its objects.

    Those cost 0.5 ms of CPU for each chunk. The transport is no public interface, so
    `_has_raw_transport` is asked first.
    """
    from google.genai import errors as sdk_errors  # noqa: PLC0415

    api = client._api_client
    model = prompt.model if "/" in prompt.model else f"models/{prompt.model}"
    request = api._build_request(
        "post", f"{model}:streamGenerateContent?alt=sse", _body(prompt, config)
    )
    async for chunk in await api._async_request_once(request, stream=True):
        if isinstance(chunk, dict) and "error" in chunk:
            raise sdk_errors.APIError(0, chunk)
        yield chunk


def _body(prompt: Prompt, config: Config) -> dict[str, Any]:
    generation: dict[str, Any] = {}
    if config.thinking_level:
        generation["thinkingConfig"] = {"thinkingLevel": config.thinking_level}
    if prompt.max_output_tokens is not None:
        generation["maxOutputTokens"] = prompt.max_output_tokens
    body: dict[str, Any] = {"contents": prompt.contents, "generationConfig": generation}
    if prompt.system_instruction:
        body["systemInstruction"] = {"parts": [{"text": prompt.system_instruction}]}
    return body


async def _public_chunks(
    client: "genai.Client", prompt: Prompt, config: Config
) -> Chunks:
    """Stream through the SDK's documented method, chunks as the same plain dicts."""
    from google.genai import types  # noqa: PLC0415

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
