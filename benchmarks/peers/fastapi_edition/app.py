"""Its two routes, in two shapes.

`PEER_SHAPE=threads` is the earlier edition made to work: it called the synchronous SDK
and database inside `async def`, which stalls the whole server at 20 callers. Here the
same calls stand in `def` endpoints, which FastAPI runs in its thread pool. `fair` is
what a careful author writes: the asynchronous SDK, the database in the thread pool.
"""

import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from google import genai
from google.genai import types
from pydantic import BaseModel

from benchmarks.peers.fastapi_edition import store

_MODEL = "gemini-3.8-flash"
_CONFIG = types.GenerateContentConfig(
    system_instruction="You are a helpful assistant.",
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)

app = FastAPI()
client = genai.Client(
    api_key="local",
    http_options=types.HttpOptions(
        base_url=os.environ["GEMINI_BASE_URL"], api_version="v1beta"
    ),
)


class ChatIn(BaseModel):
    """One message."""

    message: str


@app.get("/health")
def health() -> dict[str, str]:
    """Say that it runs."""
    return {"status": "healthy"}


@app.post("/api/v1/sessions/", status_code=201)
def create_session() -> dict[str, Any]:
    """Begin a conversation."""
    return store.begin()


def chat_in_threads(session_id: int, payload: ChatIn, request: Request) -> Any:
    """Answer with the synchronous SDK on a thread of the pool."""
    question, prompt = store.open_turn(session_id, payload.message)
    if _wants_events(request):
        return _events(_stream_in_threads(session_id, question, prompt))
    answer = client.models.generate_content(
        model=_MODEL, contents=prompt, config=_CONFIG
    )
    return store.close_turn(session_id, question, answer.text or "")


def _stream_in_threads(
    session_id: int, question: store.Message, prompt: str
) -> Iterator[str]:
    texts: list[str] = []
    for chunk in client.models.generate_content_stream(
        model=_MODEL, contents=prompt, config=_CONFIG
    ):
        texts.append(chunk.text or "")
        yield _event("delta", {"text": texts[-1]})
    yield _event("end", store.close_turn(session_id, question, "".join(texts)))


async def chat_fair(session_id: int, payload: ChatIn, request: Request) -> Any:
    """Answer with the asynchronous SDK on the event loop."""
    question, prompt = await run_in_threadpool(
        store.open_turn, session_id, payload.message
    )
    if _wants_events(request):
        return _events(_stream_fair(session_id, question, prompt))
    answer = await client.aio.models.generate_content(
        model=_MODEL, contents=prompt, config=_CONFIG
    )
    return await run_in_threadpool(
        store.close_turn, session_id, question, answer.text or ""
    )


async def _stream_fair(
    session_id: int, question: store.Message, prompt: str
) -> AsyncIterator[str]:
    texts: list[str] = []
    async for chunk in await client.aio.models.generate_content_stream(
        model=_MODEL, contents=prompt, config=_CONFIG
    ):
        texts.append(chunk.text or "")
        yield _event("delta", {"text": texts[-1]})
    turn = await run_in_threadpool(
        store.close_turn, session_id, question, "".join(texts)
    )
    yield _event("end", turn)


def _wants_events(request: Request) -> bool:
    return "text/event-stream" in request.headers.get("accept", "")


def _events(events: Iterator[str] | AsyncIterator[str]) -> Response:
    return StreamingResponse(events, media_type="text/event-stream")


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


_SHAPES = {"threads": chat_in_threads, "fair": chat_fair}
app.post("/api/v1/sessions/{session_id}/chat")(_SHAPES[os.environ["PEER_SHAPE"]])
