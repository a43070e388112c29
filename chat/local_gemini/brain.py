"""What a brain is given and what it gives back."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Protocol

from .errors import ApiError


@dataclass(frozen=True, slots=True)
class Turn:
    """One content of the conversation; `role` is `user` or `model`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request, whichever of the two APIs it came by."""

    model: str
    system: str
    turns: tuple[Turn, ...]
    max_output_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    # Numbers such as `temperature` and `seed`, in llama.cpp's spelling.
    sampling: dict[str, float] = field(default_factory=dict)
    # Tokens that an explicit cache has already paid for.
    explicit_cache_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts; `prompt_tokens` includes the cached ones."""

    prompt_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    thoughts_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """The next part of an answer; the last one carries the finish reason."""

    text: str = ""
    is_thought: bool = False
    signature: str = ""
    finish_reason: str = ""
    block_reason: str = ""
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A response object to be sent exactly as it stands."""

    chunk: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BrokenJson:
    """A chunk that is no JSON."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks here; what follows is generated but not delivered."""


@dataclass(frozen=True, slots=True)
class StreamError:
    """An error object inside the stream; nothing follows it."""

    error: ApiError


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to say yet: the request stands in a queue."""


Event = Piece | Verbatim | BrokenJson | Cut | StreamError | Waiting


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the answer travels; the defaults are how a sound server sends it."""

    # When given, this body replaces the answer.
    body: bytes | None = None
    content_type: str = ""
    content_encoding: str = ""
    is_utf8_split: bool = False
    # Without chunked framing, so that a cut looks like a clean end.
    is_close_delimited: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way."""

    events: AsyncGenerator[Event, None]
    delivery: Delivery = field(default_factory=Delivery)


class Brain(Protocol):
    """Something that answers prompts."""

    name: str
    # What answered, said honestly in every response.
    model_version: str
    input_token_limit: int
    output_token_limit: int

    @property
    def queued(self) -> int:
        """How many requests wait for their turn."""
        ...

    @property
    def running(self) -> int:
        """How many answers are being made."""
        ...

    async def respond(self, prompt: Prompt) -> Reply:
        """Begin an answer.

        Raises:
            ApiError: the request is refused before a single byte is sent.
            ConnectionDropped: the connection is to be reset.
        """
        ...

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count the tokens of the whole prompt."""
        ...

    def recall(self, prompt: Prompt) -> None:
        """Take note of a context that the server has kept with its answer."""
        ...

    def close(self) -> None:
        """Free what the brain holds."""
        ...
