"""What the scripted brain can be told to do, one function per behaviour."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from .brain import BrokenJson, Cut, Delivery, Piece, Reply, StreamError, Verbatim
from .directives import Directive
from .errors import ApiError, ConnectionDropped
from .prose import MARKDOWN, MULTILINGUAL, answer, long_text, word_chunks
from .script import (
    Events,
    Script,
    answer_chunks,
    begin,
    interrupted,
    speak,
    usage_after_begin,
)

_MESSAGES = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials.",
    403: "The caller does not have permission.",
    404: "Requested entity was not found.",
    429: "Resource has been exhausted (e.g. check quota).",
    500: "An internal error has occurred.",
    503: "The model is overloaded. Please try again later.",
    504: "Deadline expired before operation could complete.",
}
_ERROR_CODES = range(400, 600)
_HUGE_CHUNK_CHARS = 4000


async def perform(script: Script, directive: Directive) -> Reply:
    """Begin the answer the directive asks for.

    Raises:
        ApiError: it asks for a status, or one of its values is malformed.
        ConnectionDropped: it asks for a reset.
    """
    if directive.name == "status":
        await asyncio.sleep(script.adjusted(directive).first_s)
        raise _refusal(directive)
    if directive.name == "reset":
        raise ConnectionDropped
    if directive.name == "hang":
        await asyncio.Event().wait()
    stream = _STREAMS.get(directive.name, say)
    return Reply(
        stream(script.adjusted(directive), directive),
        _DELIVERIES.get(directive.name, Delivery()),
    )


async def say(script: Script, _directive: Directive) -> Events:
    """Speak the default answer."""
    async for piece in speak(script, answer_chunks(script)):
        yield piece


async def _echo(script: Script, _directive: Directive) -> Events:
    async for piece in speak(script, word_chunks(script.received, script.chunk_words)):
        yield piece


async def _markdown(script: Script, _directive: Directive) -> Events:
    async for piece in speak(script, word_chunks(MARKDOWN, script.chunk_words)):
        yield piece


async def _multilingual(script: Script, _directive: Directive) -> Events:
    async for piece in speak(script, word_chunks(MULTILINGUAL, script.chunk_words)):
        yield piece


async def _huge(script: Script, directive: Directive) -> Events:
    text = long_text(directive.integer("chars", 1_600_000))
    starts = range(0, len(text), _HUGE_CHUNK_CHARS)
    chunks = [text[start : start + _HUGE_CHUNK_CHARS] for start in starts]
    async for piece in speak(script, chunks):
        yield piece


async def _drip(script: Script, directive: Directive) -> Events:
    words = directive.integer("words", 100_000)
    delay_s = directive.number("delay_ms", 1000) / 1000
    async for piece in say(replace(script, words=words, delay_s=delay_s), directive):
        yield piece


async def _stall(script: Script, directive: Directive) -> Events:
    async for piece in begin(script, directive):
        yield piece
    await asyncio.Event().wait()


async def _early_end(script: Script, directive: Directive) -> Events:
    async for piece in begin(script, directive):
        yield piece


async def _cut(script: Script, directive: Directive) -> Events:
    async for event in interrupted(script, directive, Cut()):
        yield event


async def _bad_json(script: Script, directive: Directive) -> Events:
    async for event in interrupted(script, directive, BrokenJson()):
        yield event


async def _error_mid(script: Script, directive: Directive) -> Events:
    async for piece in begin(script, directive):
        yield piece
    yield StreamError(_refusal(directive))


async def _blocked(script: Script, directive: Directive) -> Events:
    reason = directive.options.get("reason", "PROHIBITED_CONTENT")
    yield Piece(block_reason=reason, usage=script.usage)


async def _withheld(script: Script, directive: Directive) -> Events:
    async for piece in begin(script, directive):
        yield piece
    yield Piece(
        finish_reason=directive.name.upper(), usage=usage_after_begin(script, directive)
    )


async def _finish(script: Script, directive: Directive) -> Events:
    chunks = answer_chunks(replace(script, words=directive.integer("after", 20)))
    reason = directive.options.get("reason", "OTHER")
    async for piece in speak(script, chunks, finish_reason=reason):
        yield piece


async def _empty_candidates(_script: Script, _directive: Directive) -> Events:
    yield Verbatim({"candidates": []})


async def _no_candidates(_script: Script, _directive: Directive) -> Events:
    yield Verbatim({})


async def _empty_text(script: Script, _directive: Directive) -> Events:
    yield Piece(finish_reason="STOP", usage=script.usage)


async def _null_text(_script: Script, _directive: Directive) -> Events:
    content = {"parts": [{"text": None}], "role": "model"}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    yield Verbatim({"candidates": [candidate]})


async def _thought_only(script: Script, directive: Directive) -> Events:
    yield replace(_thought(script, directive), finish_reason="STOP")


async def _thoughts(script: Script, directive: Directive) -> Events:
    thought = _thought(script, directive)
    yield thought
    usage = thought.usage or script.usage
    chunks = answer_chunks(script)
    async for piece in speak(replace(script, usage=usage), chunks, finish_reason=""):
        usage = piece.usage or usage
        yield piece
    # Gemini 3 signs the last, empty text part of an answer.
    yield Piece(signature=thought.signature, finish_reason="STOP", usage=usage)


async def _dup_chunks(script: Script, _directive: Directive) -> Events:
    async for piece in speak(script, answer_chunks(script)):
        if not piece.finish_reason:
            yield piece
        yield piece


def _thought(script: Script, directive: Directive) -> Piece:
    count = directive.integer("words", 5)
    return Piece(
        text=answer("thought " + script.question, words=count),
        is_thought=True,
        # Base64 of a fixed text: opaque to clients, like Gemini's.
        signature="bG9jYWwtdGhvdWdodC1zaWduYXR1cmU=",
        usage=replace(script.usage, thoughts_tokens=count),
    )


def _refusal(directive: Directive) -> ApiError:
    code = directive.integer("code", 429)
    if code not in _ERROR_CODES:
        return ApiError(400, f"{directive.source}: code must be between 400 and 599")
    retry_s = directive.number("retry_s", 0)
    return ApiError(
        code,
        _MESSAGES.get(code, "The local server was told to fail."),
        retry_after_s=retry_s or None,
    )


_STREAMS: dict[str, Callable[[Script, Directive], Events]] = {
    "echo": _echo,
    "markdown": _markdown,
    "utf8_split": _multilingual,
    "huge": _huge,
    "drip": _drip,
    "stall": _stall,
    "early_end": _early_end,
    "cut": _cut,
    "cut_close": _cut,
    "bad_json": _bad_json,
    "error_mid": _error_mid,
    "blocked": _blocked,
    "safety": _withheld,
    "recitation": _withheld,
    "finish": _finish,
    "empty_candidates": _empty_candidates,
    "no_candidates": _no_candidates,
    "empty_text": _empty_text,
    "null_text": _null_text,
    "thought_only": _thought_only,
    "thoughts": _thoughts,
    "dup_chunks": _dup_chunks,
}

_DELIVERIES = {
    "html": Delivery(
        body=b"<!doctype html><title>Sign in</title><p>Welcome to the network.</p>",
        content_type="text/html",
    ),
    "bad_gzip": Delivery(body=b"this is not gzip", content_encoding="gzip"),
    "wrong_ct": Delivery(content_type="application/octet-stream"),
    "utf8_split": Delivery(is_utf8_split=True),
    "cut_close": Delivery(is_close_delimited=True),
}
