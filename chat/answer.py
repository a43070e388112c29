"""Reads the chunks of one streamed answer: its pieces, its cost and how it ended."""

import json
import re
from typing import Any

from chat import errors
from chat.completion import Completion, Kept, Said, Text, Thought, Usage

_COMPLETE = {"STOP", "MAX_TOKENS", "CONTINUATION"}
BLOCKED = {
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
}
_MAX_WORD_CHARS = 40
_MAX_VERSION_CHARS = 100
_INTERACTION_ID = re.compile(r"[\w.~:+/=-]{1,200}", re.ASCII)
# Neither PostgreSQL nor SQLite can store them.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class Answer:
    """What is known of one answer so far.

    Feed each chunk (a GenerateContentResponse as parsed JSON, to which `interactions`
    adds an `interactionId`) to `read`; when the stream has ended, `completion` tells
    whether that was a good end.
    """

    def __init__(self) -> None:
        self.has_begun = False
        self.finish_reason = ""
        self.interaction_id: str | None = None
        self._has_words = False
        self._has_thoughts = False
        self._block_reason = ""
        self._reported_usage: dict[str, Any] = {}
        self._model_version: str | None = None
        self._signatures: list[dict[str, Any]] = []

    @property
    def usage(self) -> Usage | None:
        """The latest report of what it cost; None: there was none."""
        return _usage(self._reported_usage) if self._reported_usage else None

    @property
    def has_ended(self) -> bool:
        """Whether a reason for the end has come; nothing of worth follows it."""
        return bool(self.finish_reason or self._block_reason)

    def read(self, chunk: Any) -> list[Said]:
        """Take in one chunk and return the pieces in it, often one, maybe none.

        Raises: ValueError when it is no GenerateContentResponse.
        """
        try:
            return self._read(chunk)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError("The chunk is no GenerateContentResponse.") from error

    def completion(self) -> Completion:
        """Return the good end.

        Raises: errors.ResponseBlocked, errors.EmptyAnswer, errors.AnswerCutShort (no
        finish reason), errors.GeminiError (a finish reason that is no good end).
        """
        if self._block_reason:
            raise errors.ResponseBlocked(
                "The model's safety rules refused this question. "
                "Ask in another way, or about something else.",
                reason="blocked_prompt",
                upstream=self._block_reason,
            )
        if self.finish_reason in BLOCKED:
            raise errors.ResponseBlocked(reason=self.finish_reason.lower())
        if self.finish_reason and self.finish_reason not in _COMPLETE:
            raise errors.GeminiError(
                "The model ended the answer in an unexpected way. Try again.",
                reason="unknown_finish",
                upstream=self.finish_reason,
            )
        if not self._has_words:
            raise errors.EmptyAnswer(
                reason="thoughts_only" if self._has_thoughts else "empty"
            )
        if not self.finish_reason:
            raise errors.AnswerCutShort
        return Completion(
            self.finish_reason,
            self.usage,
            self._model_version,
            self._signatures,
            self.interaction_id,
        )

    def _read(self, chunk: dict[str, Any]) -> list[Said]:
        if reported := chunk.get("usageMetadata"):
            self._reported_usage = dict(reported)
        if version := chunk.get("modelVersion"):
            self._model_version = _storable(version)[:_MAX_VERSION_CHARS]
        if interaction_id := chunk.get("interactionId"):
            return self._keep(interaction_id)
        if feedback := chunk.get("promptFeedback"):
            self._block_reason = _word(feedback.get("blockReason"))
        candidates = chunk.get("candidates")
        if not candidates:
            return []
        candidate = candidates[0]
        if reason := candidate.get("finishReason"):
            self.finish_reason = _word(reason)
        content = candidate.get("content") or {}
        return [
            piece
            for part in content.get("parts") or []
            if (piece := self._piece(part)) is not None
        ]

    def _keep(self, interaction_id: str) -> list[Said]:
        is_usable = _INTERACTION_ID.fullmatch(interaction_id) is not None
        if not is_usable or interaction_id == self.interaction_id:
            return []
        self.interaction_id = interaction_id
        return [Kept(interaction_id)]

    def _piece(self, part: dict[str, Any]) -> Text | Thought | None:
        if "thoughtSignature" in part and _is_storable(part):
            self._signatures.append(part)
        text = part.get("text")
        if not text:
            return None
        text = _storable(text)
        self.has_begun = True
        if part.get("thought"):
            self._has_thoughts = True
            return Thought(text)
        if not self._has_words:
            self._has_words = not text.isspace()
        return Text(text)


def _usage(reported: dict[str, Any]) -> Usage:
    prompt_tokens = _tokens(reported.get("promptTokenCount"))
    omitted = None if prompt_tokens is None else 0
    return Usage(
        prompt_tokens=prompt_tokens,
        cached_tokens=_tokens(reported.get("cachedContentTokenCount", omitted)),
        output_tokens=_tokens(reported.get("candidatesTokenCount")),
        thoughts_tokens=_tokens(reported.get("thoughtsTokenCount", omitted)),
        total_tokens=_tokens(reported.get("totalTokenCount")),
    )


def _tokens(reported: Any) -> int | None:
    return reported if type(reported) is int and reported >= 0 else None


def _word(reported: Any) -> str:
    return _storable(str(reported or ""))[:_MAX_WORD_CHARS]


def _is_storable(part: dict[str, Any]) -> bool:
    """Tell whether a part can be kept verbatim; mended, its signature is worthless."""
    text = json.dumps(part, ensure_ascii=False)
    return not _UNSTORABLE.search(text) and "\\u0000" not in text


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)
