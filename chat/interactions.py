"""The Interactions API: the provider keeps the conversation.

What is sent, what is missing when that is refused, and streams that are resumed.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import httpx2

from chat import errors, upstream
from chat.completion import Prompt
from chat.interaction_events import Chunk, Stream

RESUME_PAUSES_S = (0.0, 0.1, 0.5)
DELETION_TIMEOUT_S = 10.0

_DONE = b"[DONE]"
_GONE = re.compile(
    r"previous_interaction|\binteraction\b.*(not found|not exist|expired|deleted)"
)
_NO_SUCH_PLACE = re.compile(r"/interactions|\b(url|path|route|endpoint|method)\b")


def request(prompt: Prompt, *, thinking_level: str) -> dict[str, Any]:
    """Return the arguments of `interactions.create`.

    Instruction and limits hold for one interaction only, so all are sent each time.
    """
    generation: dict[str, Any] = {}
    if thinking_level:
        generation["thinking_level"] = thinking_level.lower()
    if prompt.max_output_tokens is not None:
        generation["max_output_tokens"] = prompt.max_output_tokens
    optional = {
        "previous_interaction_id": prompt.previous_interaction_id,
        "system_instruction": prompt.system_instruction,
        "generation_config": generation,
    }
    return {
        "model": prompt.model.removeprefix("models/"),
        "input": _input(prompt.contents),
        "store": True,
        "stream": True,
        **{name: value for name, value in optional.items() if value},
    }


def missing(error: Exception, prompt: Prompt) -> type[errors.GeminiError] | None:
    """Return what a refused interaction lacks at the provider; None: something else.

    An unknown interaction, an unknown model and an unknown address all are a 404, which
    only the body tells apart. What names the earlier interaction is about it, with
    other statuses, too: whoever sends the whole conversation again needs it no more.
    """
    status, body = upstream.reported(error)
    said = upstream.message(body).lower()
    previous = prompt.previous_interaction_id
    if status in {405, 501}:
        return errors.InteractionsUnsupported
    if status not in {400, 403, 404}:
        return None
    if previous and (previous.lower() in said or _GONE.search(said)):
        return errors.InteractionForgotten
    if status != 404 or prompt.model.rpartition("/")[2].lower() in said:
        return None
    is_from_an_api = isinstance(body, dict) and isinstance(body.get("error"), dict)
    if not is_from_an_api or _NO_SUCH_PLACE.search(said):
        return errors.InteractionsUnsupported
    return errors.InteractionForgotten if previous else None


async def chunks(
    api: Any,
    prompt: Prompt,
    *,
    thinking_level: str,
    failures: tuple[type[Exception], ...],
) -> AsyncGenerator[Chunk, None]:
    """Yield an answer as chunks for `answer.Answer`; a stream that breaks is resumed.

    `api` is the SDK's `interactions.with_streaming_response`: it hands the responses
    over unread. The SDK's own reader takes fifty times the CPU, leaves out events that
    it can't parse, and gives the connection up at the end.

    Raises: what `failures` names (of the first break, where resuming does not help),
    upstream.Reported.
    """
    stream = Stream()
    breaks: list[Exception | None] = []
    opening = api.create(**request(prompt, thinking_level=thinking_level))
    for pause_s in (*RESUME_PAUSES_S, None):
        try:
            async with opening as response, aclosing(_events(response)) as events:
                async for event in events:
                    for chunk in stream.read(event):
                        yield chunk
            breaks.append(None)
        except failures as error:
            if isinstance(error, ValueError) and not breaks:
                raise  # it was no break: the connection was good, its words are not
            breaks.append(error)
        if stream.has_ended or not stream.last_event_id or pause_s is None:
            break
        await asyncio.sleep(pause_s)
        opening = api.get(
            id=stream.interaction_id, stream=True, last_event_id=stream.last_event_id
        )
    if breaks[0] is not None and not stream.has_ended:
        raise breaks[0]


async def delete(
    api: Any, interaction_id: str, *, failures: tuple[type[Exception], ...], secret: str
) -> None:
    """Delete what the provider keeps, if it still does. Raises: errors.GeminiError."""
    try:
        async with asyncio.timeout(DELETION_TIMEOUT_S):
            await api.delete(interaction_id)
    except failures as error:
        if upstream.reported(error)[0] != 404:
            now = datetime.now(UTC)
            raise upstream.translated(
                error, has_begun=False, secret=secret, now=now
            ) from None
    except TimeoutError:
        raise errors.GeminiTimeout(reason="deletion_deadline") from None


async def _events(response: Any) -> AsyncGenerator[dict[str, Any], None]:
    """Decode server-sent events. Raises: ValueError, httpx2.HTTPError.

    Only a line feed ends a line here: a text may hold a U+2028, which others take for
    one. After the last event it reads on, so that the connection can be kept.
    """
    body: httpx2.Response = response.http_response
    rest = b""
    data: list[bytes] = []
    async for part in body.aiter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:].strip())
            elif data and not line.strip():
                if data != [_DONE]:
                    yield json.loads(b"\n".join(data))
                data = []


def _input(contents: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Return the new contents: one text of the user as it is, else as steps."""
    said = [(content.get("role"), _text(content)) for content in contents]
    said = [(role, text) for role, text in said if text]
    if [role for role, _ in said] in ([], ["user"]):
        return "".join(text for _, text in said)
    return [
        {
            "type": "model_output" if role == "model" else "user_input",
            "content": [{"type": "text", "text": text}],
        }
        for role, text in said
    ]


def _text(content: Mapping[str, Any]) -> str:
    """Return a content's words: thoughts and signatures the provider has itself."""
    parts = [part for part in content["parts"] if not part.get("thought")]
    return "".join(part.get("text") or "" for part in parts)
