"""What is sent to the model for a turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chat import personalities
from chat.completion import Prompt

_SPEAKERS = {"user": "User", "assistant": "Assistant"}
_GO_ON = (
    "Your last answer broke off. Go on exactly where it stops, without repeating "
    "anything and without a remark about the interruption."
)


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said: `role` is `user` or `assistant`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """All that a strategy may use for one turn.

    `so_far` is the text of an answer that is to be continued, else empty.
    """

    model: str
    personality: str
    history: Sequence[Line]
    message: str
    so_far: str = ""


class Strategy(Protocol):
    """A way to give the model the conversation."""

    name: str

    def prompt(self, context: Context) -> Prompt:
        """Return what is sent."""
        ...


class Stateless:
    """The recent messages pasted into one prompt, made anew for each turn."""

    name = "stateless"

    def prompt(self, context: Context) -> Prompt:
        """Paste the history as a transcript; a first message is sent as it is."""
        lines = [*context.history, Line("user", context.message)]
        if context.so_far:
            lines += [Line("assistant", context.so_far), Line("user", _GO_ON)]
        text = lines[0].text if len(lines) == 1 else _transcript(lines)
        return Prompt(
            model=context.model,
            contents=[{"role": "user", "parts": [{"text": text}]}],
            system_instruction=personalities.instruction(context.personality),
        )


def _transcript(lines: Sequence[Line]) -> str:
    return "\n\n".join(f"{_SPEAKERS[line.role]}: {line.text}" for line in lines)


def choose() -> Strategy:
    """Return the strategy of a turn."""
    return _STATELESS


_STATELESS = Stateless()
