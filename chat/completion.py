"""What is asked of a model and what comes back, as plain values."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request, in the shape of Gemini's REST interface.

    `contents` are dicts such as `{"role": "user", "parts": [{"text": "Hi"}]}`; they are
    sent as they are. None: no system instruction, the model's own output limit.

    `is_interaction`: the provider keeps the conversation (the Interactions API with
    store=true). `contents` then hold only what the provider does not have yet, and
    `previous_interaction_id` names what it has; None: nothing.
    """

    model: str
    contents: list[dict[str, Any]]
    system_instruction: str | None = None
    max_output_tokens: int | None = None
    is_interaction: bool = False
    previous_interaction_id: str | None = None

    def body(self, *, thinking_level: str) -> dict[str, Any]:
        """Return the body of a GenerateContent request; an empty level is left out."""
        generation: dict[str, Any] = {}
        if thinking_level:
            generation["thinkingConfig"] = {"thinkingLevel": thinking_level}
        if self.max_output_tokens is not None:
            generation["maxOutputTokens"] = self.max_output_tokens
        body = {"contents": self.contents, "generationConfig": generation}
        if self.system_instruction:
            body["systemInstruction"] = {"parts": [{"text": self.system_instruction}]}
        return body


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost, in tokens; None: not reported.

    Gemini leaves out counts that are zero. So `cached_tokens` and `thoughts_tokens` are
    0 when the prompt's count was reported without them; the others stay None.
    `prompt_tokens` include the cached ones.
    """

    prompt_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    thoughts_tokens: int | None
    total_tokens: int | None


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the model's reasoning; no part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Word that the provider keeps this turn under a name, however it may end."""

    interaction_id: str


@dataclass(frozen=True, slots=True)
class Completion:
    """The good end of an answer.

    `finish_reason` is STOP, or MAX_TOKENS or CONTINUATION when a limit cut the answer.
    `usage` is None when nothing was reported. `signatures` are the parts that carry a
    `thoughtSignature`, verbatim, to be sent back with the answer to the same model.
    `interaction_id` is what the next prompt may go on from; None: nothing is kept.
    """

    finish_reason: str
    usage: Usage | None
    model_version: str | None
    signatures: list[dict[str, Any]]
    interaction_id: str | None = None


Said: TypeAlias = Text | Thought | Kept
Piece: TypeAlias = Said | Completion


class Model(Protocol):
    """Whatever can answer a prompt."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield the answer's pieces and, last, exactly one Completion.

        Cancelling the task that iterates ends the upstream's work too.

        Raises: errors.GeminiError; the pieces already yielded stay valid.
        """
        ...
