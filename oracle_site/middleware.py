"""Django's own middleware without a thread hop for each of them.

Under ASGI, Django runs the two halves of every stock middleware in a worker thread,
although they only compute. Here they run on the event loop; the one thing that may
touch the database (saving a changed login session) still hops.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import is_valid_path

from chat import problems
from chat.errors import InvalidRequest, PermissionDenied
from monitoring.middleware import OnlyAsync


class OnTheLoop:
    """Run `process_request` and `process_response` where the event loop is."""

    get_response: Callable[[HttpRequest], Any]

    async def __acall__(self, request: HttpRequest) -> Any:
        """Do what Django's `MiddlewareMixin` does, without its hops."""
        response = None
        if hasattr(self, "process_request"):
            response = self.process_request(request)
        response = response or await self.get_response(request)
        if hasattr(self, "process_response"):
            response = self.process_response(request, response)
        return response


class Security(OnTheLoop, SecurityMiddleware):
    """HTTPS, nosniff, referrer and opener policies."""


class Common(OnTheLoop, CommonMiddleware):
    """The length of an answer that has one."""


class Csp(OnTheLoop, CSPMiddleware):
    """The content security policy."""


class Authentication(OnTheLoop, AuthenticationMiddleware):
    """A lazy `request.user`."""


class Messages(MessageMiddleware):
    """One-off notices; only where a login session is, since they may be kept in it."""

    get_response: Callable[[HttpRequest], Any]

    async def __acall__(self, request: HttpRequest) -> Any:
        """Skip the storage entirely for requests without a session cookie."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            return await super().__acall__(request)
        self.process_request(request)
        response = await self.get_response(request)
        if request._messages.added_new:  # type: ignore[attr-defined]
            await sync_to_async(self.process_response)(request, response)
        return response


class Clickjacking(OnTheLoop, XFrameOptionsMiddleware):
    """No page of ours in a foreign frame."""


class Sessions(OnTheLoop, SessionMiddleware):
    """Login sessions; only a request that carries or changes one pays for it."""

    async def __acall__(self, request: HttpRequest) -> Any:
        """Hop to a thread only when the session has to be written or expired."""
        self.process_request(request)
        response = await self.get_response(request)
        has_cookie = settings.SESSION_COOKIE_NAME in request.COOKIES
        if request.session.modified or (has_cookie and request.session.is_empty()):
            return await sync_to_async(self.process_response)(request, response)
        return self.process_response(request, response)


class Csrf(OnTheLoop, CsrfViewMiddleware):
    """Cross-site request forgery protection of every cookie-authenticated page."""

    async def process_view(  # type: ignore[override]
        self,
        request: HttpRequest,
        callback: Callable[..., Any],
        callback_args: tuple[Any, ...],
        callback_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        """Check the token; a coroutine, so that Django does not hop for it."""
        return super().process_view(request, callback, callback_args, callback_kwargs)


_BOTH_WAYS = ("/api/", "/health", "/livez", "/readyz", "/metrics", "/status")


class Slash(OnlyAsync):
    """Serve an API path with and without its last slash, without a redirect.

    A redirect would turn a POST into a GET.
    """

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Take the other form of the path when only that one exists."""
        path = request.path_info
        if path.startswith(_BOTH_WAYS) and not is_valid_path(path):
            other = path.rstrip("/") if path.endswith("/") else f"{path}/"
            if is_valid_path(other):
                request.path_info = other
        return await self.get_response(request)


class ApiAnswers(OnlyAsync):
    """What all answers below `/api/` have in common: no cache, one shape of errors.

    Django and ninja themselves word a wrong method, a foreign host name and a missing
    CSRF token.
    """

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Replace the body of a refusal that is not JSON; its status stays."""
        response = await self.get_response(request)
        if not request.path_info.startswith("/api/"):
            return response
        is_json = response.headers.get("Content-Type") == "application/json"
        if response.status_code >= 400 and not is_json:
            response = _shaped(request, response)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _shaped(request: HttpRequest, refusal: HttpResponseBase) -> HttpResponseBase:
    error = PermissionDenied() if refusal.status_code == 403 else InvalidRequest()
    error.status = refusal.status_code
    shaped = problems.response(request, error)
    if "Allow" in refusal.headers:
        shaped.headers["Allow"] = refusal.headers["Allow"]
    return shaped
