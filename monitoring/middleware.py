"""Give each request an id that appears in its answer, its errors and its log lines."""

import re
import uuid
from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from monitoring import traffic

_ACCEPTED = re.compile(r"[A-Za-z0-9-]{1,64}")


def request_id(given: str) -> str:
    """Return the id that a client gave, or a new one if it is not well-formed."""
    return given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex


class OnlyAsync:
    """The outline of a middleware of ours; a subclass is called with the request."""

    async_capable = True
    sync_capable = False

    def __init__(
        self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]
    ) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)  # type: ignore[type-var]


class RequestId(OnlyAsync):
    """Take a well-formed `X-Request-ID` or make one; send it back."""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Bind the id for this request's log lines."""
        known_as = request_id(request.headers.get("X-Request-ID", ""))
        request.META["ORACLE_REQUEST_ID"] = known_as
        with structlog.contextvars.bound_contextvars(request_id=known_as):
            response = await self.get_response(request)
        response.headers["X-Request-ID"] = known_as
        return response


class Traffic(OnlyAsync):
    """Count every request and how long it took until its answer began."""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Note the pattern of the route, never the address itself."""
        began_at, status = perf_counter(), traffic.ABORTED
        try:
            response = await self.get_response(request)
            status = traffic.status_class(response.status_code)
            return response
        finally:
            match = request.resolver_match
            traffic.note(
                route=match.route if match else None,
                method=request.method,
                status=status,
                took_s=perf_counter() - began_at,
            )
