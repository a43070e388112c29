"""The way into async pages, for which the admin's own guard is not made."""

from collections.abc import Callable
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse

from flags import access

T = TypeVar("T")


def guarded(request: HttpRequest) -> HttpResponse | None:
    """Return the way to the login for who is not signed in; None: come in.

    Raises: PermissionDenied.
    """
    allowed = HttpResponse()
    answer = site.admin_view(lambda _: allowed)(request)
    if answer is not allowed:
        return answer
    if not access.may_look(request):
        raise PermissionDenied
    return None


async def aside(run: Callable[[], T]) -> T:
    """Run something long on a thread of its own: the chat's answers share the usual."""
    return await sync_to_async(_closing, thread_sensitive=False)(run)


def _closing(run: Callable[[], T]) -> T:
    try:
        return run()
    finally:
        if not connection.in_atomic_block:
            connection.close()
