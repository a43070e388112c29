"""One request as the scripted brain sees it, and the pace at which it speaks."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from .brain import Event, Piece, Usage
from .directives import Directive
from .prose import answer, answer_words, word_chunks

Events = AsyncGenerator[Event, None]


@dataclass(frozen=True, slots=True)
class Script:
    """One request as the behaviours see it; times in seconds."""

    # The user's newest message, and all of the last content, without directives.
    question: str
    received: str
    usage: Usage
    first_s: float
    delay_s: float
    words: int
    chunk_words: int

    def adjusted(self, directive: Directive) -> "Script":
        """Apply the timing and sizes the directive names."""
        # The words of a `[[thoughts]]` directive are those of the thought.
        is_thought = directive.name.startswith("thought")
        return replace(
            self,
            first_s=directive.number("first_ms", self.first_s * 1000) / 1000,
            delay_s=directive.number("delay_ms", self.delay_s * 1000) / 1000,
            words=self.words if is_thought else directive.integer("words", self.words),
            chunk_words=directive.integer("chunk_words", self.chunk_words),
        )


def answer_chunks(script: Script) -> list[str]:
    """Return the default answer in chunks."""
    return word_chunks(answer(script.question, words=script.words), script.chunk_words)


async def begin(script: Script, directive: Directive) -> AsyncGenerator[Piece, None]:
    """Speak the first `after` words, without an end."""
    after = directive.integer("after", 5)
    if after:
        chunks = answer_chunks(replace(script, words=after))
        async for piece in speak(script, chunks, finish_reason=""):
            yield piece


async def interrupted(script: Script, directive: Directive, event: Event) -> Events:
    """Speak the first `after` words, let the event happen, speak the rest."""
    after = directive.integer("after", 5)
    async for piece in begin(script, directive):
        yield piece
    yield event
    words = answer_words(script.question, max(script.words, after + 1))[after:]
    rest = replace(
        script, usage=usage_after_begin(script, directive), first_s=script.delay_s
    )
    chunks = [f" {word}" for word in words]
    if not after:
        chunks[0] = words[0]
    async for piece in speak(rest, chunks):
        yield piece


def usage_after_begin(script: Script, directive: Directive) -> Usage:
    """Return the usage when the first `after` words are spoken."""
    return replace(script.usage, output_tokens=directive.integer("after", 5))


async def speak(
    script: Script, chunks: Sequence[str], *, finish_reason: str = "STOP"
) -> AsyncGenerator[Piece, None]:
    """Speak the chunks at the script's pace; the last carries the finish reason."""
    output_tokens = script.usage.output_tokens
    for index, chunk in enumerate(chunks):
        pause_s = script.delay_s if index else script.first_s
        if pause_s:
            await asyncio.sleep(pause_s)
        output_tokens += len(chunk.split())
        is_last = index == len(chunks) - 1
        yield Piece(
            text=chunk,
            finish_reason=finish_reason if is_last else "",
            usage=replace(script.usage, output_tokens=output_tokens),
        )
