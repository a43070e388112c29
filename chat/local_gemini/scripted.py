"""A deterministic brain: the request itself says how it is to be answered."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from . import behaviours
from .brain import Event, Prompt, Reply, Usage
from .directives import Directive, find, newest_message, question
from .errors import ApiError
from .prefixes import PrefixMemory
from .prose import answer
from .script import Script

__all__ = ["Defaults", "ScriptedBrain", "answer", "question"]

_PLAIN = Directive("say", {}, "")


@dataclass(frozen=True, slots=True)
class Defaults:
    """How a request without a directive is answered; times in milliseconds.

    Cached tokens, of any request, are reported in whole blocks and from a minimum on.
    """

    directive: str = ""
    # The directive above holds for every Nth request only, of those that have so many
    # turns: who sends a conversation turn by turn is told from who pastes it into one.
    every: int = 1
    min_turns: int = 1
    first_ms: float = 0
    delay_ms: float = 0
    words: int = 20
    chunk_words: int = 1
    cache_min_tokens: int = 0
    cache_block_tokens: int = 1


class ScriptedBrain:
    """Obeys the `[[directive]]` in the user's newest message.

    Tokens are whitespace-separated pieces: a test double's count, the same every time.
    """

    name = "scripted"
    model_version = "scripted (local)"
    input_token_limit = 1_048_576
    output_token_limit = 65_536
    queued = 0

    def __init__(
        self,
        defaults: Defaults | None = None,
        *,
        is_implicit_cache_on: bool = True,
    ) -> None:
        self.defaults = self._initial_defaults = defaults or Defaults()
        self.running = 0
        self._prefixes = PrefixMemory() if is_implicit_cache_on else None
        self._uses: Counter[str] = Counter()
        self._plain_count = 0

    async def respond(self, prompt: Prompt) -> Reply:
        """Answer as the directive says.

        Raises:
            ApiError: the directive asks for a status, or is malformed.
            ConnectionDropped: the directive asks for a reset.
        """
        text = prompt.turns[-1].text
        directive = self._directive(text, turns=len(prompt.turns))
        script = Script(
            question=question(text),
            received=text.replace(directive.source, "").strip(),
            usage=self._usage(prompt),
            first_s=self.defaults.first_ms / 1000,
            delay_s=self.defaults.delay_ms / 1000,
            words=self.defaults.words,
            chunk_words=self.defaults.chunk_words,
        )
        limit = prompt.max_output_tokens
        is_plain = directive.name == "say" and not directive.options
        if is_plain and limit is not None and limit < script.words:
            options = {"after": str(limit), "reason": "MAX_TOKENS"}
            directive = Directive("finish", options, directive.source)
        reply = await behaviours.perform(script, directive)
        return replace(reply, events=self._counted(reply.events))

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count whitespace-separated pieces."""
        return sum(1 for _ in _tokens(prompt))

    def recall(self, prompt: Prompt) -> None:
        """Count the context as seen: what goes on from it is cached up to its end."""
        if self._prefixes is not None:
            self._prefixes.common_tokens(prompt.model, list(_tokens(prompt)))

    def change_defaults(self, changes: dict[str, Any]) -> None:
        """Answer requests without a directive in another way from now on.

        Raises:
            ApiError: 400, unknown name or a value of another type.
        """
        types = {field.name: field.type for field in fields(Defaults)}
        for name, value in changes.items():
            known = types.get(name)
            if known is not type(value) and (known, type(value)) != (float, int):
                raise ApiError(400, f"no such default, or of another type: {name}")
        self.defaults = replace(self.defaults, **changes)
        self._uses.clear()
        self._plain_count = 0

    def reset_defaults(self) -> None:
        """Return to the defaults the brain was made with."""
        self.defaults = self._initial_defaults

    def close(self) -> None:
        """Free nothing: there is nothing to free."""

    async def _counted(
        self, events: AsyncGenerator[Event, None]
    ) -> AsyncGenerator[Event, None]:
        self.running += 1
        try:
            async for event in events:
                yield event
        finally:
            self.running -= 1

    def _directive(self, text: str, *, turns: int) -> Directive:
        directive = find(newest_message(text)) or self._default_directive(turns)
        if directive is None:
            return _PLAIN
        if "times" in directive.options:
            key = directive.options.get("key", directive.source)
            self._uses[key] += 1
            if self._uses[key] > directive.integer("times", 1):
                return Directive("say", {}, directive.source)
        return directive

    def _default_directive(self, turns: int) -> Directive | None:
        if turns < self.defaults.min_turns:
            return None
        self._plain_count += 1
        if self._plain_count % max(1, self.defaults.every):
            return None
        return find(self.defaults.directive)

    def _usage(self, prompt: Prompt) -> Usage:
        tokens = list(_tokens(prompt))
        cached = prompt.explicit_cache_tokens
        if self._prefixes is not None:
            seen = self._prefixes.common_tokens(prompt.model, tokens)
            if seen >= self.defaults.cache_min_tokens:
                block = max(1, self.defaults.cache_block_tokens)
                cached = max(cached, seen - seen % block)
        return Usage(prompt_tokens=len(tokens), output_tokens=0, cached_tokens=cached)


def _tokens(prompt: Prompt) -> Iterator[str]:
    yield from prompt.system.split()
    for turn in prompt.turns:
        yield from turn.text.split()
