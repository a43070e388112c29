"""The REST endpoint of ratings."""

from typing import Annotated

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from ninja import Path, Router, Schema

from chat import database, ownership, ratings, shapes
from chat.api import ERRORS, SessionId, require_csrf
from chat.ratings import Word

router = Router(tags=["sessions"])

MessageId = Annotated[int, Path(ge=1, le=ownership.MAX_ID)]


class RatingIn(shapes.Strict):
    """What an answer was like; null takes back what was said."""

    rating: Word | None


class RatingOut(Schema):
    """What is kept of it now."""

    message_id: int
    rating: Word | None


@router.put(
    "/sessions/{session_id}/messages/{message_id}/rating",
    response={200: RatingOut, **ERRORS},
)
async def rate(
    request: HttpRequest,
    session_id: SessionId,
    message_id: MessageId,
    payload: RatingIn,
) -> HttpResponseBase:
    """Say that an answer was good or bad, say otherwise, or take it back."""
    require_csrf(request)
    await database.write(
        lambda: ratings.rate(
            ownership.conversation(ownership.identify(request), session_id),
            message_id,
            payload.rating,
        )
    )
    return JsonResponse({"message_id": message_id, "rating": payload.rating})
