"""What is sent to the model for a turn, and what is kept for the next one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chat import contents, personalities
from chat.completion import Completion, Prompt
from chat.contents import GO_ON, Content, Line
from chat.sessions import Session

_SPEAKERS = {"user": "User", "assistant": "Assistant"}
# Far beyond any context worth its price; what is longer is recovered anew, shorter.
# More than the longest recovery, or what that brings back would never be kept.
_MAX_CONTENTS = 1_200
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Context:
    """All that a strategy may use for one turn.

    `history` is what was said before and the `session`, if there is one, does not
    include. `so_far` is the text of an answer that is to be continued, else empty.
    """

    model: str
    personality: str
    message: str
    so_far: str = ""
    history: Sequence[Line] = field(default=())
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A turn that came to a good end: its place, the whole text, how it ended."""

    conversation_id: int
    message_id: int
    text: str
    completion: Completion


class Strategy(Protocol):
    """A way to give the model the conversation."""

    name: str

    def prompt(self, context: Context) -> Prompt:
        """Return what is sent."""
        ...

    def after(self, context: Context, answered: Answered) -> Session | None:
        """Return the session that the next turn may start from, if any."""
        ...


class Stateless:
    """The recent messages pasted into one prompt, made anew for each turn."""

    name = "stateless"

    def prompt(self, context: Context) -> Prompt:
        """Paste the history as a transcript; a first message is sent as it is."""
        lines = [*context.history, *_turn(context)]
        text = lines[0].text if len(lines) == 1 else _transcript(lines)
        return Prompt(
            model=context.model,
            contents=[{"role": "user", "parts": [{"text": text}]}],
            system_instruction=personalities.instruction(context.personality),
        )

    def after(self, context: Context, answered: Answered) -> None:
        """Keep nothing."""


class History:
    """The whole conversation, message by message, behind the ones sent before.

    What was sent once is sent again byte for byte, so the provider may know it.
    """

    name = "history"

    def prompt(self, context: Context) -> Prompt:
        """Append what is new to what the session holds."""
        return Prompt(
            model=context.model,
            contents=[*_held(context), *_new(context)],
            system_instruction=personalities.instruction(context.personality),
        )

    def after(self, context: Context, answered: Answered) -> Session | None:
        """Keep all contents; None once they are too many or too large."""
        held = context.session
        question = Line("user", context.message)
        reply = Line("assistant", answered.text, answered.completion.signatures)
        added = [*_missing(context), *contents.of_lines([question, reply])]
        kept = (*_held(context), *added)
        size_bytes = (held.size_bytes if held else 0) + contents.size_bytes(added)
        if len(kept) > _MAX_CONTENTS or size_bytes > _MAX_BYTES:
            return None
        return Session(
            conversation_id=answered.conversation_id,
            strategy=self.name,
            model=context.model,
            version=answered.message_id,
            message_count=len(kept),
            contents=kept,
            size_bytes=size_bytes,
        )


class Interactions:
    """Only what is new: the provider keeps what was said before."""

    name = "interactions"

    def prompt(self, context: Context) -> Prompt:
        """Name the provider's state and add to it."""
        session = context.session
        return Prompt(
            model=context.model,
            contents=_new(context),
            system_instruction=personalities.instruction(context.personality),
            is_interaction=True,
            previous_interaction_id=session.interaction_id if session else None,
        )

    def after(self, context: Context, answered: Answered) -> Session | None:
        """Keep the name of the provider's state; None where it kept none."""
        interaction_id = answered.completion.interaction_id
        if not interaction_id:
            return None
        held = context.session.message_count if context.session else 0
        return Session(
            conversation_id=answered.conversation_id,
            strategy=self.name,
            model=context.model,
            version=answered.message_id,
            message_count=held + len(context.history) + 2,
            size_bytes=len(interaction_id),
            interaction_id=interaction_id,
        )


def has_room(session: Session, missing: Sequence[Line]) -> bool:
    """Tell whether what was missed and another turn still fit behind a session.

    What the provider keeps is not ours to bound.
    """
    if session.interaction_id:
        return True
    count = len(session.contents) + len(missing) + 2
    size_bytes = session.size_bytes + sum(len(line.text.encode()) for line in missing)
    return count <= _MAX_CONTENTS and size_bytes <= _MAX_BYTES


def _held(context: Context) -> Sequence[Content]:
    return context.session.contents if context.session else ()


def _missing(context: Context) -> list[Content]:
    """Return what the session does not include, behind a session as it is."""
    if context.session:
        return [contents.of_line(line) for line in context.history]
    return contents.of_lines(context.history)


def _new(context: Context) -> list[Content]:
    """Return all that the session does not include yet, this turn at the end."""
    return [*_missing(context), *(contents.of_line(line) for line in _turn(context))]


def _turn(context: Context) -> list[Line]:
    """Return what the person says; to continue, with the answer that broke off."""
    question = Line("user", context.message)
    if not context.so_far:
        return [question]
    return [question, Line("assistant", context.so_far), Line("user", GO_ON)]


def _transcript(lines: Sequence[Line]) -> str:
    return "\n\n".join(f"{_SPEAKERS[line.role]}: {line.text}" for line in lines)


STATELESS, HISTORY, INTERACTIONS = Stateless(), History(), Interactions()


def named(name: str) -> Strategy:
    """Return a persistent strategy. Raises: KeyError for a name that is none."""
    return {each.name: each for each in (HISTORY, INTERACTIONS)}[name]
