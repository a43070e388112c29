"""A small real model (SmolLM2, 135 million weights): real tokens, real prefix reuse."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from .brain import Event, Piece, Prompt, Reply, Turn, Usage, Waiting
from .errors import ApiError
from .llama import LlamaServer
from .turnstile import Turnstile

# One core reads 1,024 tokens in 8 s when it is idle and in 22 s when it is fought for.
PROMPT_TOKENS = 1024
OUTPUT_TOKENS = 512
_SYSTEM_TOKENS = PROMPT_TOKENS // 2
# Old text is dropped in steps, so that the kept part begins at the same place for
# several turns and its evaluation can be reused.
_DROP_STEP_TOKENS = PROMPT_TOKENS // 4

# ChatML, the template of the model, and its tokens: <|im_start|>role, newline, text,
# <|im_end|>. Role and newline are at most four tokens with the marker.
_BEGIN, _END, _NEWLINE = 1, 2, 198
_HEAD_TOKENS = 4
_ROLES = {"user": "user", "model": "assistant"}
# The model answers better with these words than with those it was trained with.
_DEFAULT_SYSTEM = "You are a helpful assistant."
# The model's card recommends a temperature of 0.2, at which it misses the capital of
# France in every other try; its likeliest words are its best. DRY stops it from
# repeating whole phrases, as small models do.
_SAMPLING = {"temperature": 0.0, "dry_multiplier": 0.8}
_FINISH_REASONS = {"eos": "STOP", "word": "STOP", "limit": "MAX_TOKENS"}
_WAITING_INTERVAL_S = 2


class SmolLM2Brain:
    """Answers with the model; a few at a time, the others wait in a fair queue."""

    name = "smollm2"
    model_version = "smollm2-135m-instruct (local)"
    input_token_limit = PROMPT_TOKENS

    def __init__(
        self, *, slots: int = 2, queue: int = 8, output_tokens: int = OUTPUT_TOKENS
    ) -> None:
        """Load the model; `output_tokens` is the length of an answer at most.

        Raises:
            BrainUnavailable: it cannot run on this machine.
        """
        self.output_token_limit = min(output_tokens, OUTPUT_TOKENS)
        slot_tokens = PROMPT_TOKENS + OUTPUT_TOKENS
        self._llama = LlamaServer(slots=slots, slot_tokens=slot_tokens)
        self._turnstile = Turnstile(slots=slots, capacity=queue)

    @property
    def queued(self) -> int:
        """How many requests wait."""
        return self._turnstile.queued

    @property
    def running(self) -> int:
        """How many answers are being made."""
        return self._turnstile.running

    async def respond(self, prompt: Prompt) -> Reply:
        """Begin an answer, now or when its turn comes.

        Raises:
            ApiError: 429, too many are waiting already.
        """
        self._turnstile.check()
        return Reply(self._answer(prompt))

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count the tokens of the whole prompt, also what would not be read."""
        system, body = await self._tokens(prompt)
        return len(system) + len(body)

    def recall(self, prompt: Prompt) -> None:
        """Do nothing: the model's own cache holds what it has said."""

    def close(self) -> None:
        """Free the model."""
        self._llama.close()

    async def _answer(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        place = self._turnstile.join()
        try:
            while not await _is_set_within(place, _WAITING_INTERVAL_S):
                yield Waiting()
            async with aclosing(self._generate(prompt)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self._turnstile.leave(place)

    async def _generate(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        tokens = fitted(*await self._tokens(prompt))
        limit = self.output_token_limit
        request: dict[str, Any] = {
            **_SAMPLING,
            **prompt.sampling,
            "prompt": tokens,
            "n_predict": min(prompt.max_output_tokens or limit, limit),
            "stop": list(prompt.stop_sequences),
        }
        async with aclosing(self._llama.complete(request)) as events:
            async for event in events:
                if event.get("stop"):
                    yield _last_piece(event, len(tokens))
                    return
                if event["content"]:
                    yield Piece(text=event["content"])
        raise ApiError(500, "The local model stopped in the middle of its answer.")

    async def _tokens(self, prompt: Prompt) -> tuple[list[int], list[int]]:
        system = await self._llama.tokenize(
            [_BEGIN, f"system\n{prompt.system or _DEFAULT_SYSTEM}", _END, "\n"]
        )
        body: list[str | int] = []
        for turn in prompt.turns:
            body += _marked(turn)
        return system, await self._llama.tokenize([*body, _BEGIN, "assistant\n"])


def fitted(system: list[int], body: list[int]) -> list[int]:
    """Drop the oldest tokens of the body until the prompt fits.

    The beginning of the system instruction and the newest text stay.
    """
    if len(system) > _SYSTEM_TOKENS:
        system = [*system[: _SYSTEM_TOKENS - 1], _END]
    surplus = len(system) + len(body) - PROMPT_TOKENS
    if surplus <= 0:
        return system + body
    steps = -(-(surplus + _HEAD_TOKENS) // _DROP_STEP_TOKENS)
    return system + _from_role(body, steps * _DROP_STEP_TOKENS)


def _from_role(body: list[int], drop: int) -> list[int]:
    """Drop tokens from the front; the turn that is cut keeps its role."""
    start = max(at for at, token in enumerate(body[: drop + 1]) if token == _BEGIN)
    text_start = body.index(_NEWLINE, start) + 1
    return body[start:text_start] + body[max(drop, text_start) :]


def _marked(turn: Turn) -> list[str | int]:
    return [_BEGIN, f"{_ROLES[turn.role]}\n", turn.text, _END, "\n"]


def _last_piece(event: dict[str, Any], prompt_tokens: int) -> Piece:
    return Piece(
        text=event["content"],
        finish_reason=_FINISH_REASONS.get(event["stop_type"], "OTHER"),
        usage=Usage(
            prompt_tokens=prompt_tokens,
            output_tokens=event["tokens_predicted"],
            cached_tokens=event["timings"]["cache_n"],
        ),
    )


async def _is_set_within(event: asyncio.Event, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
