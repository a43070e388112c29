"""One interaction: its steps, and the events that readers follow as it grows."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .brain import (
    BrokenJson,
    Cut,
    Event,
    Piece,
    Prompt,
    StreamError,
    Turn,
    Usage,
    Verbatim,
    Waiting,
)
from .connection import json_bytes
from .errors import ApiError
from .wire import JsonObject, timestamp

_STATUS_OF_FINISH = {"STOP": "completed", "MAX_TOKENS": "incomplete"}


@dataclass(frozen=True, slots=True)
class Sent:
    """An event as it travels; numbers begin at 1."""

    number: int
    line: bytes


# What a connection meets on its way; only `Sent` is part of the interaction itself.
Milestone = Sent | Cut | BrokenJson | Waiting


class Interaction:
    """A running or finished interaction."""

    def __init__(
        self,
        prompt: Prompt,
        *,
        model_version: str,
        new_turns: tuple[Turn, ...],
        previous_id: str,
        is_background: bool,
    ) -> None:
        self.id = f"v1_{secrets.token_urlsafe(24)}"
        self.status = "in_progress"
        self.milestones: list[Milestone] = []
        self.is_background = is_background
        self.failure: ApiError | None = None
        self.task: asyncio.Task[None] | None = None
        self._prompt = prompt
        self._model_version = model_version
        self._new_turns = new_turns
        self._previous_id = previous_id
        self._created_at = self._updated_at = datetime.now(UTC)
        self._steps: list[JsonObject] = []
        self._errors: list[JsonObject] = []
        self._usage: Usage | None = None
        self._event_count = 0
        self._news = asyncio.Event()

    @property
    def is_running(self) -> bool:
        """Whether more is to come."""
        return self.status == "in_progress"

    def context(self) -> Prompt:
        """Return the prompt together with this answer.

        Raises:
            ApiError: 400, the answer is not finished.
        """
        if self.is_running:
            raise ApiError(400, f"Interaction {self.id} is still in progress.")
        text = self._text()
        answer = (Turn("model", text),) if text else ()
        return replace(self._prompt, turns=self._prompt.turns + answer)

    def start(self, events: AsyncGenerator[Event, None]) -> None:
        """Begin to generate, in a task of its own."""
        self._announce()
        self.task = asyncio.create_task(self._generate(events))

    def shape(self, *, includes_input: bool = False) -> JsonObject:
        """Return the interaction as the API shows it."""
        steps = [_input_step(turn) for turn in self._new_turns if includes_input]
        shape = self._summary() | {
            "created": timestamp(self._created_at),
            "updated": timestamp(self._updated_at),
            "steps": steps + self._steps,
        }
        if self._previous_id:
            shape["previous_interaction_id"] = self._previous_id
        if self._usage is not None:
            shape["usage"] = _usage(self._usage)
        if self._errors:
            shape["errors"] = self._errors
        return shape

    async def follow(self, *, after: int = 0) -> AsyncGenerator[Milestone, None]:
        """Yield what comes after event number `after`, until the end."""
        position = 0
        while True:
            for milestone in self.milestones[position:]:
                position += 1
                if not isinstance(milestone, Sent) or milestone.number > after:
                    yield milestone
            if position == len(self.milestones):
                if not self.is_running:
                    return
                await self._news.wait()

    async def _generate(self, events: AsyncGenerator[Event, None]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    self._take(event)
        except asyncio.CancelledError:
            self._finish("cancelled")
        except ApiError as error:
            self._fail(error)
        finally:
            if self.is_running:
                self._end("incomplete")

    def _take(self, event: Event) -> None:
        if isinstance(event, Piece):
            self._take_piece(event)
        elif isinstance(event, Verbatim):
            self._finish("completed")
        elif isinstance(event, StreamError):
            self._fail(event.error)
        else:
            self._append(event)

    def _take_piece(self, piece: Piece) -> None:
        self._usage = piece.usage or self._usage
        if piece.is_thought:
            self._think(piece)
        elif piece.text:
            self._say(piece.text)
        reason = piece.block_reason or piece.finish_reason
        if reason in _STATUS_OF_FINISH:
            self._finish(_STATUS_OF_FINISH[reason])
        elif reason:
            message = f"The answer was withheld: {reason}"
            self._errors = [{"code": reason.lower(), "message": message}]
            self._finish("failed")

    def _think(self, piece: Piece) -> None:
        content = {"type": "text", "text": piece.text}
        step = {
            "type": "thought",
            "signature": piece.signature,
            "summary": [content],
        }
        self._open_step(step, {"type": "thought"})
        self._delta({"type": "thought_summary", "content": content})
        self._delta({"type": "thought_signature", "signature": piece.signature})

    def _say(self, text: str) -> None:
        if not self._steps or self._steps[-1]["type"] != "model_output":
            content = [{"type": "text", "text": ""}]
            step = {"type": "model_output", "content": content}
            self._open_step(step, {"type": "model_output"})
        self._steps[-1]["content"][0]["text"] += text
        self._delta({"type": "text", "text": text})

    def _open_step(self, step: JsonObject, announced: JsonObject) -> None:
        self._close_step()
        self._steps.append(step)
        self._emit("step.start", {"index": len(self._steps) - 1, "step": announced})

    def _close_step(self) -> None:
        if self._steps:
            self._emit("step.stop", {"index": len(self._steps) - 1})

    def _delta(self, delta: JsonObject) -> None:
        self._emit("step.delta", {"index": len(self._steps) - 1, "delta": delta})

    def _announce(self) -> None:
        self._emit("interaction.created", {"interaction": self._summary()})
        status = {"interaction_id": self.id, "status": self.status}
        self._emit("interaction.status_update", status)

    def _finish(self, status: str) -> None:
        self._close_step()
        self._end(status)
        # The steps travelled as deltas; the last event does not repeat them.
        shape = {key: value for key, value in self.shape().items() if key != "steps"}
        self._emit("interaction.completed", {"interaction": shape})
        self._event_count += 1
        self._append(Sent(self._event_count, b"event: done\ndata: [DONE]\n\n"))

    def _fail(self, error: ApiError) -> None:
        body = error.interactions_body()
        self.failure = error
        self._errors = [body["error"]]
        self._end("failed")
        self._emit("error", body)

    def _end(self, status: str) -> None:
        self.status = status
        self._updated_at = datetime.now(UTC)
        self._news.set()

    def _emit(self, name: str, payload: JsonObject) -> None:
        self._event_count += 1
        event_id = f"ev{self._event_count}"
        data = json_bytes(payload | {"event_type": name, "event_id": event_id})
        line = f"event: {name}\ndata: ".encode() + data + b"\n\n"
        self._append(Sent(self._event_count, line))

    def _append(self, milestone: Milestone) -> None:
        self.milestones.append(milestone)
        self._news.set()
        if self.is_running:
            self._news = asyncio.Event()

    def _summary(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "interaction",
            "model": self._model_version,
            "status": self.status,
        }

    def _text(self) -> str:
        outputs = [step for step in self._steps if step["type"] == "model_output"]
        return "".join(step["content"][0]["text"] for step in outputs)


def _input_step(turn: Turn) -> JsonObject:
    kind = "user_input" if turn.role == "user" else "model_output"
    return {"type": kind, "content": [{"type": "text", "text": turn.text}]}


def _usage(usage: Usage) -> JsonObject:
    return {
        "total_input_tokens": usage.prompt_tokens,
        "total_cached_tokens": usage.cached_tokens,
        "total_output_tokens": usage.output_tokens,
        "total_thought_tokens": usage.thoughts_tokens,
        "total_tool_use_tokens": 0,
        "total_tokens": usage.prompt_tokens
        + usage.output_tokens
        + usage.thoughts_tokens,
        "input_tokens_by_modality": [
            {"modality": "text", "tokens": usage.prompt_tokens}
        ],
    }
