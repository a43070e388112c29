"""Reads the events of one interaction: what they say, as the chunks of an answer."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from chat import upstream
from chat.answer import BLOCKED

Chunk: TypeAlias = dict[str, Any]

_FINISH_REASONS = {
    "completed": "STOP",
    "incomplete": "MAX_TOKENS",
    "requires_continuation": "CONTINUATION",
}
_COUNTS = {
    "promptTokenCount": "total_input_tokens",
    "cachedContentTokenCount": "total_cached_tokens",
    "candidatesTokenCount": "total_output_tokens",
    "thoughtsTokenCount": "total_thought_tokens",
    "totalTokenCount": "total_tokens",
}
# An error inside a stream has a word where one of HTTP has its status.
_STATUSES = {
    "invalid_request": 400,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "resource_exhausted": 429,
    "rate_limit_exceeded": 429,
    "quota_exceeded": 429,
    "internal": 500,
    "internal_error": 500,
    "server_error": 500,
    "unimplemented": 501,
    "unavailable": 503,
    "overloaded": 503,
    "deadline_exceeded": 504,
}


class Stream:
    """What was read of one interaction, over all its connections."""

    def __init__(self) -> None:
        self.interaction_id = ""
        self.last_event_id = ""  # empty: it can't be resumed without repeating
        self.has_ended = False
        self._seen: set[str] = set()
        self._inputs: set[int] = set()

    def read(self, event: dict[str, Any]) -> list[Chunk]:
        """Return what an event says, once; an event that nobody knows says nothing.

        Raises: ValueError when it is none, upstream.Reported when it is an error.
        """
        try:
            event_id = str(event.get("event_id") or "")
            if self.has_ended or event_id in self._seen:
                return []
            found = self._chunks(event)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("This is no event of an interaction.") from error
        if event_id:
            self._seen.add(event_id)
        if event_id or found:
            self.last_event_id = event_id if self.interaction_id else ""
        return found

    def _chunks(self, event: dict[str, Any]) -> list[Chunk]:
        kind = event["event_type"]
        if kind == "step.delta":
            is_input = event.get("index") in self._inputs
            return [] if is_input else _said(event["delta"])
        if kind == "step.start":
            self._start(event["index"], event["step"])
        elif kind == "interaction.status_update":
            return _cost(event)
        elif kind == "interaction.created":
            return self._state(event["interaction"])
        elif kind == "interaction.completed":
            return self._end(event["interaction"])
        elif kind == "error":
            return self._fail(event.get("error") or {})
        return []

    def _start(self, index: int, step: Mapping[str, Any]) -> None:
        """Remember which steps repeat the question, as a stored interaction may."""
        if step.get("type") == "user_input":
            self._inputs.add(index)
        else:
            self._inputs.discard(index)

    def _state(self, interaction: Mapping[str, Any]) -> list[Chunk]:
        self.interaction_id = str(interaction["id"])
        chunk = {"interactionId": self.interaction_id}
        if model := interaction.get("model"):
            chunk["modelVersion"] = model
        return [chunk, *_cost(interaction)]

    def _end(self, interaction: Mapping[str, Any]) -> list[Chunk]:
        found = self._state(interaction)
        status = str(interaction["status"])
        if status == "failed" and (reported := interaction.get("errors")):
            return found + self._fail(reported[0])
        self.has_ended = True
        if status == "cancelled":  # by our leaving, or somebody: it has no good end
            return found
        return [*found, _finish(_FINISH_REASONS.get(status, status.upper()))]

    def _fail(self, error: Mapping[str, Any]) -> list[Chunk]:
        """Return the end of a blocked answer. Raises: upstream.Reported."""
        self.has_ended = True
        # The documentation calls it a URI; what arrives are words.
        word = re.split(r"[/:#]", str(error.get("code") or ""))[-1].lower()
        if word.upper() in BLOCKED:
            return [_finish(word.upper())]
        status = (
            int(word) if re.fullmatch("[45][0-9]{2}", word) else _STATUSES.get(word)
        )
        raise upstream.Reported(status, {"error": {"status": word, **error}})


def _said(delta: Mapping[str, Any]) -> list[Chunk]:
    if delta["type"] == "text":
        part = {"text": delta["text"]}
    elif delta["type"] == "thought_summary":
        part = {"text": (delta.get("content") or {}).get("text"), "thought": True}
    else:
        return []
    return [{"candidates": [{"content": {"parts": [part]}}]}]


def _cost(reporting: Mapping[str, Any]) -> list[Chunk]:
    usage = reporting.get("usage") or {}
    known = {ours: usage[theirs] for ours, theirs in _COUNTS.items() if theirs in usage}
    return [{"usageMetadata": known}] if known else []


def _finish(reason: str) -> Chunk:
    return {"candidates": [{"finishReason": reason}]}
