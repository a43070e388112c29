"""How to reach the model, how long to wait for it, and what its state is."""

import re
from dataclasses import dataclass, field
from typing import Literal, Self, TypeAlias

from django.conf import settings

from chat import breaker, errors
from chat.completion import Prompt
from chat.deadlines import Deadlines

Decoder: TypeAlias = Literal["raw", "public"]

GOOGLE_URL = "https://generativelanguage.googleapis.com/"
DEFAULT_API_VERSION = "v1"
_MODEL_NAME = re.compile(r"((models|tunedModels)/)?[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a model needs to know; an empty `thinking_level` is not sent."""

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
            decoder="public" if settings.GEMINI_STREAM_DECODER == "public" else "raw",
        )

    def deadlines(self, now: float) -> Deadlines:
        """Return the deadlines of an answer that is asked for at `now`."""
        return Deadlines(
            first_text_at=now + self.first_text_deadline_s,
            total_at=now + self.total_deadline_s,
            idle_s=self.idle_deadline_s,
        )

    def require_sendable(self, prompt: Prompt) -> None:
        """Refuse what no request could carry: the key is a header, the name a path.

        Raises: errors.GeminiRefused, errors.UnknownModel.
        """
        self.require_key()
        if not _MODEL_NAME.fullmatch(prompt.model):
            raise errors.UnknownModel

    def require_key(self) -> None:
        """Refuse a key that no request could carry. Raises: errors.GeminiRefused."""
        if not self.api_key:
            raise errors.GeminiRefused(
                "The service has no API key for the model: the operator must set one.",
                reason="no_key",
            )
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise errors.GeminiRefused(upstream="The key holds impossible characters.")


@dataclass(frozen=True, slots=True)
class State:
    """What health checks may know; `decoder` is the way streams are read."""

    is_configured: bool
    breaker: breaker.State
    decoder: Decoder
