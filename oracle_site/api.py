"""The REST API: the apps' endpoints under one roof, with one shape of errors."""

import json
from collections.abc import Callable
from typing import Any

import structlog
from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from chat import problems
from chat.api import router as chat_router
from chat.api_ratings import router as ratings_router
from chat.errors import (
    ChatError,
    ConversationNotFound,
    InvalidMessage,
    InvalidRequest,
    Unexpected,
)
from monitoring.api import router as monitoring_router
from oracle_site import monitors

log = structlog.get_logger(__name__)


class JsonParser(Parser):
    """JSON that is named when it is wrong."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Parse the body. Raises: InvalidRequest."""
        try:
            return json.loads(request.body, parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise InvalidRequest("The body is not UTF-8 text.") from error
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(
                "The body is not JSON. Send an object such as "
                '{"message": "Hello"} with Content-Type: application/json.'
            ) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _docs(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Allow the documentation page its own inline styles, and nothing else."""
    relaxed: Any = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(view)
    return relaxed  # type: ignore[no-any-return]


api = NinjaAPI(
    title="Oracle Chat AI",
    version="1",
    description="Sessions, messages and streamed answers.",
    parser=JsonParser(),
    docs_decorator=_docs,
    openapi_extra={
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}
        }
    },
)
api.add_router("", chat_router)
api.add_router("", ratings_router)
api.add_router("/monitoring", monitoring_router, auth=monitors.require)


@api.exception_handler(ChatError)
def _chat_error(request: HttpRequest, error: ChatError) -> HttpResponse:
    return problems.response(request, error)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Say what was wrong, where, and what was expected."""
    first = error.errors[0]
    place = [str(part) for part in first["loc"]]
    if place[0] == "path":
        return problems.response(request, ConversationNotFound())
    field = ".".join(part for part in place[1:] if part != "payload") or "body"
    kind = InvalidMessage if field == "message" else InvalidRequest
    return problems.response(request, kind(f"{field}: {first['msg']}."))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__  # of a body that could not be parsed
    if not isinstance(cause, ChatError):
        cause = InvalidRequest(f"{error}")
    return problems.response(request, cause)


@api.exception_handler(Exception)
def _surprise(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("api.failed", path=request.path, exc_info=error)
    return problems.response(request, Unexpected())
