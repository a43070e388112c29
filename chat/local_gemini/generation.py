"""The doors generateContent and streamGenerateContent."""

import asyncio
import secrets
from contextlib import aclosing

from . import wire
from .brain import (
    Brain,
    BrokenJson,
    Cut,
    Delivery,
    Event,
    Piece,
    Prompt,
    StreamError,
    Verbatim,
    Waiting,
)
from .connection import Exchange, json_bytes

_EVENT_STREAM = "text/event-stream"
_BROKEN = b'data: {"candidates": [{"content": {"parts": [{"te\r\n\r\n'
_ASCII = 0x7F
# Long enough that two writes arrive as two packets.
_SPLIT_PAUSE_S = 0.005


async def stream(exchange: Exchange, brain: Brain, prompt: Prompt) -> None:
    """Answer with server-sent events, the first of which carries the headers."""
    reply = await brain.respond(prompt)
    delivery = reply.delivery
    if delivery.body is not None:
        await send_replacement(exchange, delivery.body, delivery)
        return
    response_id = secrets.token_urlsafe(12)
    async with aclosing(reply.events) as events:
        async for event in events:
            if not exchange.is_started:
                start_stream(exchange, delivery)
            if isinstance(event, Cut):
                exchange.cut()
                return
            line = _line(event, brain.model_version, response_id)
            await write_line(exchange, delivery, line)
    if not exchange.is_started:
        start_stream(exchange, delivery)
    exchange.finish()


def start_stream(exchange: Exchange, delivery: Delivery) -> None:
    """Send the head of a stream."""
    content_type = delivery.content_type or _EVENT_STREAM
    if delivery.is_close_delimited:
        exchange.start_close_delimited(content_type)
    else:
        exchange.start(content_type)


async def write_line(exchange: Exchange, delivery: Delivery, line: bytes) -> None:
    """Write an event, inside a character when the delivery asks for it."""
    if delivery.is_utf8_split and not line.isascii():
        after_lead_byte = 1 + next(at for at, byte in enumerate(line) if byte > _ASCII)
        await exchange.write(line[:after_lead_byte])
        await asyncio.sleep(_SPLIT_PAUSE_S)
        line = line[after_lead_byte:]
    await exchange.write(line)


async def send_replacement(exchange: Exchange, body: bytes, delivery: Delivery) -> None:
    """Send the body that stands in for an answer."""
    encoding = delivery.content_encoding
    await exchange.send(
        200,
        body,
        content_type=delivery.content_type or _EVENT_STREAM,
        headers=[("Content-Encoding", encoding)] if encoding else [],
    )


def _line(event: Event, model_version: str, response_id: str) -> bytes:
    if isinstance(event, Piece):
        shape = wire.chunk(event, model_version=model_version, response_id=response_id)
        return wire.data_line(shape)
    if isinstance(event, Verbatim):
        return wire.data_line(event.chunk)
    if isinstance(event, StreamError):
        return wire.data_line(event.error.body())
    # An empty line is no event; it only shows that we are alive.
    return b"\r\n" if isinstance(event, Waiting) else _BROKEN


async def answer_whole(exchange: Exchange, brain: Brain, prompt: Prompt) -> None:
    """Answer with one JSON object.

    Raises:
        ApiError: the brain refused, before or in the middle of its answer.
    """
    reply = await brain.respond(prompt)
    if reply.delivery.body is not None:
        await send_replacement(exchange, reply.delivery.body, reply.delivery)
        return
    pieces: list[Piece] = []
    async with aclosing(reply.events) as events:
        async for event in events:
            if isinstance(event, Piece):
                pieces.append(event)
            elif isinstance(event, StreamError):
                raise event.error
            elif isinstance(event, Verbatim):
                await exchange.send_json(200, event.chunk)
                return
            elif isinstance(event, BrokenJson | Cut):
                await send_damaged(exchange, _whole(pieces, brain), event)
                return
    await exchange.send(
        200,
        json_bytes(_whole(pieces, brain)),
        content_type=reply.delivery.content_type or "application/json; charset=UTF-8",
    )


def _whole(pieces: list[Piece], brain: Brain) -> wire.JsonObject:
    last = pieces[-1] if pieces else Piece()
    shape = wire.chunk(
        last,
        model_version=brain.model_version,
        response_id=secrets.token_urlsafe(12),
    )
    if "candidates" in shape and pieces:
        shape["candidates"] = [wire.candidate(pieces)]
    return shape


async def send_damaged(
    exchange: Exchange, shape: wire.JsonObject, event: BrokenJson | Cut
) -> None:
    """Send half of a body, either as if it were whole or cut off."""
    body = json_bytes(shape)
    half = body[: len(body) // 2]
    if isinstance(event, BrokenJson):
        await exchange.send(200, half)
        return
    exchange.start("application/json", headers=[("Content-Length", str(len(body)))])
    await exchange.write(half)
    exchange.cut()
