"""Errors as the contract's JSON."""

import json
import math
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from chat.errors import ChatError
from chat.models import Generation

_STATUS_OF_CODE = {
    "RATE_LIMITED": 429,
    "GEMINI_API_ERROR": 502,
    "GEMINI_TIMEOUT": 504,
    "RESPONSE_BLOCKED": 422,
    "DATABASE_ERROR": 503,
    "SERVICE_UNAVAILABLE": 503,
}


def body(
    *, detail: str, code: str, path: str, request_id: str, **extra: Any
) -> dict[str, Any]:
    """Return the error shape; `extra` are further fields."""
    return {
        "detail": detail,
        "error_code": code,
        "timestamp": timezone.now().isoformat().replace("+00:00", "Z"),
        "path": path,
        "request_id": request_id,
        **extra,
    }


def body_of(request: HttpRequest, error: ChatError) -> dict[str, Any]:
    """Return the error shape of `error` for this request."""
    extra = dict(error.extra)
    if error.retry_after_s is not None:
        extra["retry_after_s"] = error.retry_after_s
    return body(
        detail=error.detail,
        code=error.code,
        path=request.path,
        request_id=request.META.get("ORACLE_REQUEST_ID", ""),
        **extra,
    )


def response(request: HttpRequest, error: ChatError) -> HttpResponse:
    """Answer with an error, and say when to come back or how to sign in."""
    answer = HttpResponse(
        json.dumps(body_of(request, error)),
        status=error.status,
        content_type="application/json",
    )
    if error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def of_generation(generation: Generation, **extra: Any) -> ChatError | None:
    """Return the stored error of an ended attempt, or None if there was none."""
    if not generation.error_code:
        return None
    error = ChatError(
        generation.error_detail, retry_after_s=generation.retry_after_s, **extra
    )
    error.code = generation.error_code
    error.reason = generation.error_reason
    error.status = _STATUS_OF_CODE.get(generation.error_code, 500)
    return error
