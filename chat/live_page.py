"""A running answer as the page's events: blocks of final HTML and an open tail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial

from django.http import HttpRequest
from django.template.loader import render_to_string

from chat import bubbles, database, generations, openings, problems, rendering, sse
from chat.errors import ChatError, ConversationNotFound, DatabaseBusy
from chat.feeds import Delta, Ended, Idle
from chat.models import Message

_STEP_S = 0.15


async def events(
    request: HttpRequest, turn: openings.Turn, *, after: int
) -> AsyncIterator[bytes]:
    """Yield `block` (append), `tail` (replace) and last `end` (replace the message).

    `after` is the number of source characters whose HTML the page already has as
    blocks; where no block ends there, `reset` makes the page begin again.
    """
    stream: rendering.Stream | None = None
    try:
        async with aclosing(generations.engine().follow(turn.generation_id)) as feed:
            async for event in feed:
                match event:
                    case Delta(_, text):
                        if stream is None:
                            stream, text, is_reset = _begin(text, after)
                            if is_reset:
                                yield sse.event("reset", None, offset=0)
                        yield await asyncio.to_thread(_step, stream, text)
                        await asyncio.sleep(_STEP_S)
                    case Idle():
                        yield sse.COMMENT
                    case Ended():
                        yield await database.read(partial(_end, request, turn))
    except ChatError as error:
        yield sse.event("error", problems.body_of(request, error))


def _begin(text: str, after: int) -> tuple[rendering.Stream, str, bool]:
    """Return a renderer, what to feed it first, and whether the page must start over.

    The first text of a feed is all that there is so far.
    """
    if after:
        try:
            return rendering.Stream.resume(text, after), "", False
        except ValueError:
            return rendering.Stream(), text, True
    return rendering.Stream(), text, False


def _step(stream: rendering.Stream, text: str) -> bytes:
    step = stream.feed(text)
    blocks = [
        sse.event("block", {"html": block.html}, offset=block.end_chars)
        for block in step.blocks
    ]
    return b"".join([*blocks, sse.event("tail", {"html": step.tail})])


def _end(request: HttpRequest, turn: openings.Turn) -> bytes:
    answer = Message.objects.filter(pk=turn.message_id).first()
    if answer is None:
        return sse.event("error", problems.body_of(request, ConversationNotFound()))
    if answer.status in {Message.Status.PENDING, Message.Status.STREAMING}:
        raise DatabaseBusy(
            "The end of the answer could not be stored. Reload the page."
        )
    is_for_staff = request.user.is_staff
    [bubble] = bubbles.of_messages([answer], is_for_staff=is_for_staff)
    html = render_to_string("chat/_message.html", {"bubble": bubble}, request)
    return sse.event("end", {"status": bubble.status, "html": html})
