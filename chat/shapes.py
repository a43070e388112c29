"""What the API takes and gives, as the contract has it."""

import math
import re
from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, StrictStr
from pydantic_core import PydanticCustomError

from chat.conversations import Details
from chat.models import Conversation, Generation, Message

Strategy, SessionOutcome = Generation.Strategy, Generation.SessionOutcome

_MAX_DEPTH = 20
# PostgreSQL keeps neither in text nor in JSON.
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")


def _keepable(value: Any, depth: int = 0) -> Any:
    """Return JSON unless a database could not keep it or a reader would choke on it.

    Raises: PydanticCustomError.
    """
    if depth > _MAX_DEPTH:
        raise PydanticCustomError("depth", "Nested over 20 levels deep")
    if isinstance(value, str) and _NO_TEXT.search(value):
        raise PydanticCustomError("text", "Holds a NUL or half of a surrogate pair")
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("number", "Holds a number that is out of range")
    if isinstance(value, dict):
        for name, item in value.items():
            _keepable(name)
            _keepable(item, depth + 1)
    if isinstance(value, list):
        for item in value:
            _keepable(item, depth + 1)
    return value


Title = Annotated[StrictStr, Field(max_length=200), AfterValidator(_keepable)]
Name = Annotated[StrictStr, Field(max_length=100)]
Metadata = Annotated[dict[str, Any], AfterValidator(_keepable)]


class Strict(Schema):
    """An input that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid")


class SessionIn(Strict):
    """What a session is begun with or changed to; nothing is required."""

    title: Title | None = None
    model_used: Name | None = None
    personality: Name | None = None
    session_metadata: Metadata | None = None

    def details(self) -> Details:
        """Return it in the words of the project."""
        return Details(
            title=self.title,
            model=self.model_used,
            personality=self.personality,
            metadata=self.session_metadata,
        )


class ChatIn(Strict):
    """One message."""

    message: StrictStr


class ErrorOut(Schema):
    """Every error of the API."""

    detail: str
    error_code: str
    timestamp: datetime
    path: str
    request_id: str


class SessionOut(Schema):
    """A conversation; `visitor_token` only once, for a client without credentials."""

    id: int
    title: str
    model_used: str
    personality: str
    session_metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    message_count: int
    visitor_token: str | None = None


class SessionsOut(Schema):
    """A page of conversations."""

    sessions: list[SessionOut]
    total: int
    skip: int
    limit: int


class MessageOut(Schema):
    """One message."""

    id: int
    session_id: int
    role: str
    content: str
    timestamp: datetime
    status: str


class MessagesOut(Schema):
    """A page of messages."""

    messages: list[MessageOut]
    total: int
    skip: int
    limit: int
    session_id: int


class PerformanceOut(Schema):
    """What a turn took; null means not measured or not reported by the model."""

    used_persistent_session: bool
    cache_hit: bool
    response_time_ms: float | None
    token_usage_optimized: bool
    prompt_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    time_to_first_token_ms: float | None


class TurnOut(Schema):
    """A message, its answer, and how it went."""

    status: str
    finish_reason: str
    user_message: MessageOut
    assistant_message: MessageOut
    session: SessionOut
    performance_info: PerformanceOut


class DeletedOut(Schema):
    """Word that a session is gone."""

    message: str
    session_id: int


class StoppedOut(Schema):
    """Whether an answer was running and has been asked to stop."""

    stopped: bool


def of_session(conversation: Conversation) -> dict[str, Any]:
    """Return a conversation in the contract's words."""
    return {
        "id": conversation.pk,
        "title": conversation.title,
        "model_used": conversation.model,
        "personality": conversation.personality,
        "session_metadata": conversation.metadata,
        "created_at": _utc(conversation.created_at),
        "updated_at": _utc(conversation.updated_at),
        "message_count": conversation.message_count,
    }


def of_message(message: Message) -> dict[str, Any]:
    """Return a message in the contract's words."""
    return {
        "id": message.pk,
        "session_id": message.conversation_id,
        "role": message.role,
        "content": message.content,
        "timestamp": _utc(message.created_at),
        "status": message.status,
    }


def of_turn(generation: Generation) -> dict[str, Any]:
    """Return an ended attempt, loaded with its messages and its conversation."""
    answer = generation.message
    return {
        "status": generation.status,
        "finish_reason": generation.finish_reason,
        "user_message": of_message(answer.parent) if answer.parent else None,
        "assistant_message": of_message(answer),
        "session": of_session(generation.conversation),
        "performance_info": {
            "used_persistent_session": generation.strategy != Strategy.STATELESS,
            "cache_hit": generation.session_outcome == SessionOutcome.HIT,
            "response_time_ms": _ms(generation.duration_ms),
            "token_usage_optimized": bool(generation.cached_tokens),
            "prompt_tokens": generation.prompt_tokens,
            "cached_tokens": generation.cached_tokens,
            "output_tokens": generation.output_tokens,
            "time_to_first_token_ms": _ms(generation.time_to_first_token_ms),
        },
    }


def _ms(measured: float | None) -> float | None:
    """Return a time without the digits that no clock means."""
    return None if measured is None else round(measured, 2)


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
