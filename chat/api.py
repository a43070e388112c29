"""The REST endpoints of conversations."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from ninja import Path, Query, Router
from ninja.utils import check_csrf

from chat import (
    addresses,
    conversations,
    database,
    generations,
    openings,
    ownership,
    problems,
    shapes,
    sse,
    statements,
    turns,
)
from chat.errors import (
    ChatError,
    ConversationNotFound,
    DatabaseBusy,
    PermissionDenied,
)
from chat.feeds import Delta, Ended, Idle
from chat.models import Generation
from chat.ownership import Caller

router = Router(tags=["sessions"])

SessionId = Annotated[int, Path(ge=1, le=ownership.MAX_ID)]
Skip = Annotated[int, Query(ge=0, le=2**31)]
Limit = Annotated[int, Query(ge=1, le=100)]
ERRORS = dict.fromkeys(
    (400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504), shapes.ErrorOut
)
_EVENTS = {
    "responses": {
        200: {
            "description": "The events of the answer",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        204: {"description": "No answer is running"},
    }
}


def _who(request: HttpRequest) -> Caller:
    return ownership.identify(request)


def require_csrf(request: HttpRequest) -> None:
    """Check the CSRF token of a call that a cookie would authenticate.

    Raises: PermissionDenied.
    """
    by_cookie = {ownership.cookie_name(), "sessionid"} & request.COOKIES.keys()
    if "Authorization" in request.headers or not by_cookie:
        return
    if check_csrf(request) is not None:
        raise PermissionDenied(
            "The CSRF token is missing or wrong: send the csrftoken cookie's value "
            "as X-CSRFToken, or use a bearer token instead of cookies."
        )


@router.post("/sessions/", response={201: shapes.SessionOut, **ERRORS})
async def create_session(
    request: HttpRequest, payload: shapes.SessionIn | None = None
) -> HttpResponseBase:
    """Begin a session. A client without credentials gets a `visitor_token`, once."""
    require_csrf(request)
    given = payload or shapes.SessionIn()

    def create() -> dict[str, Any]:
        conversation, visitor = conversations.begin(
            _who(request),
            given.details(),
            address=addresses.client_address(request),
        )
        answer = shapes.of_session(conversation)
        if visitor is not None:
            answer["visitor_token"] = ownership.issue_token(visitor, name="visitor")
        return answer

    return JsonResponse(await conversations.timed(create), status=201)


@router.get("/sessions/", response={200: shapes.SessionsOut, **ERRORS})
async def list_sessions(
    request: HttpRequest, skip: Skip = 0, limit: Limit = 50
) -> HttpResponseBase:
    """List one's sessions, the newest activity first."""
    page = await database.read(
        lambda: conversations.newest(_who(request), skip=skip, limit=limit)
    )
    return JsonResponse(
        {
            "sessions": [shapes.of_session(item) for item in page.items],
            "total": page.total,
            "skip": skip,
            "limit": limit,
        }
    )


@router.get("/sessions/{session_id}", response={200: shapes.SessionOut, **ERRORS})
async def get_session(request: HttpRequest, session_id: SessionId) -> HttpResponseBase:
    """Return one session."""
    found = await database.read(
        lambda: ownership.conversation(_who(request), session_id)
    )
    return JsonResponse(shapes.of_session(found))


@router.api_operation(
    ["PUT", "PATCH"],
    "/sessions/{session_id}",
    response={200: shapes.SessionOut, **ERRORS},
)
async def change_session(
    request: HttpRequest, session_id: SessionId, payload: shapes.SessionIn
) -> HttpResponseBase:
    """Change what is given and nothing else."""
    require_csrf(request)
    changed = await database.write(
        lambda: conversations.change(
            ownership.conversation(_who(request), session_id),
            payload.details(),
        )
    )
    return JsonResponse(shapes.of_session(changed))


@router.delete("/sessions/{session_id}", response={200: shapes.DeletedOut, **ERRORS})
async def delete_session(
    request: HttpRequest, session_id: SessionId
) -> HttpResponseBase:
    """Delete a session with its messages."""
    require_csrf(request)
    await turns.delete(partial(_who, request), session_id)
    return JsonResponse({"message": "Session deleted.", "session_id": session_id})


@router.get(
    "/sessions/{session_id}/messages", response={200: shapes.MessagesOut, **ERRORS}
)
async def list_messages(
    request: HttpRequest, session_id: SessionId, skip: Skip = 0, limit: Limit = 50
) -> HttpResponseBase:
    """List the messages, oldest first."""

    def load() -> dict[str, Any]:
        conversation = ownership.conversation(_who(request), session_id)
        messages = conversations.visible_messages(conversation).order_by("id")
        return {
            "messages": [
                shapes.of_message(message) for message in messages[skip : skip + limit]
            ],
            "total": conversation.message_count,
            "skip": skip,
            "limit": limit,
            "session_id": session_id,
        }

    return JsonResponse(await database.read(load))


@router.post("/sessions/{session_id}/chat", response={200: shapes.TurnOut, **ERRORS})
async def chat(
    request: HttpRequest, session_id: SessionId, payload: shapes.ChatIn
) -> HttpResponseBase:
    """Say something. With `Accept: text/event-stream` the answer streams.

    Send an `Idempotency-Key` header to make a repeated call the same turn.
    """
    require_csrf(request)
    turn = await turns.take_turn(
        partial(_who, request),
        session_id,
        text=payload.message,
        key=request.headers.get("Idempotency-Key"),
        address=addresses.client_address(request),
    )
    return await _answer(request, turn)


@router.post("/sessions/{session_id}/retry", response={200: shapes.TurnOut, **ERRORS})
async def retry(request: HttpRequest, session_id: SessionId) -> HttpResponseBase:
    """Answer the last message anew after a failed, stopped or broken answer."""
    require_csrf(request)
    turn = await turns.retry(
        partial(_who, request),
        session_id,
        address=addresses.client_address(request),
    )
    return await _answer(request, turn)


@router.post(
    "/sessions/{session_id}/continue", response={200: shapes.TurnOut, **ERRORS}
)
async def resume(request: HttpRequest, session_id: SessionId) -> HttpResponseBase:
    """Go on with the last answer where it was stopped or broke off."""
    require_csrf(request)
    turn = await turns.resume(
        partial(_who, request),
        session_id,
        address=addresses.client_address(request),
    )
    return await _answer(request, turn)


@router.get("/sessions/{session_id}/events", response=ERRORS, openapi_extra=_EVENTS)
async def events(request: HttpRequest, session_id: SessionId) -> HttpResponseBase:
    """Follow the running answer, from `Last-Event-ID` on; 204 when none runs."""

    def find() -> openings.Turn | None:
        return openings.running(ownership.conversation(_who(request), session_id))

    turn = await database.read(find)
    if turn is None:
        return HttpResponse(status=204)
    return sse.response(_stream(request, turn, after=sse.last_offset(request)))


@router.post("/sessions/{session_id}/stop", response={200: shapes.StoppedOut, **ERRORS})
async def stop(request: HttpRequest, session_id: SessionId) -> HttpResponseBase:
    """Stop the running answer; the text so far stays."""
    require_csrf(request)
    stopped = await turns.stop(partial(_who, request), session_id)
    return JsonResponse({"stopped": bool(stopped)})


async def _answer(request: HttpRequest, turn: openings.Turn) -> HttpResponseBase:
    if "text/event-stream" in request.headers.get("Accept", ""):
        after = max(sse.last_offset(request), len(turn.so_far))
        return sse.response(_stream(request, turn, after=after))
    await generations.engine().wait(turn.generation_id)
    return JsonResponse(shapes.of_turn(await _ended(turn.generation_id)))


async def _stream(
    request: HttpRequest, turn: openings.Turn, *, after: int
) -> AsyncIterator[bytes]:
    yield sse.event(
        "accepted",
        {
            "session_id": turn.conversation_id,
            "user_message_id": turn.user_message_id,
            "assistant_message_id": turn.message_id,
        },
    )
    try:
        async for event in generations.engine().follow(turn.generation_id, after):
            match event:
                case Delta(offset, text):
                    yield sse.event("delta", {"text": text}, offset=offset)
                case Idle():
                    yield sse.COMMENT
                case Ended():
                    ended = await _ended(turn.generation_id)
                    yield sse.event("end", shapes.of_turn(ended))
    except ChatError as error:
        yield sse.event("error", problems.body_of(request, error))


async def _ended(generation_id: int) -> Generation:
    """Return an attempt that ended well, or was stopped by its owner.

    Raises: the stored error of one that did not; ConversationNotFound when it went
    with its conversation; DatabaseBusy when its end could not be stored.
    """
    ended = await database.read(partial(statements.ended_generation, generation_id))
    if ended is None:
        raise ConversationNotFound
    if ended.status == Generation.Status.RUNNING:
        raise DatabaseBusy("The end of the answer could not be stored. Look again.")
    error = problems.of_generation(
        ended,
        status=ended.status,
        reason=ended.error_reason,
        user_message_id=ended.message.parent_id,
        assistant_message=shapes.of_message(ended.message),
    )
    if error is not None:
        raise error
    return ended
