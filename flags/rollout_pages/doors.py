"""The way into async pages, and the way out of those of a plan that can't be read."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from flags import access
from flags.models import RolloutPlan

T = TypeVar("T")

# Of their own: the event loop's are few, and answers and health checks need them.
_threads = ThreadPoolExecutor(2, thread_name_prefix="oracle-rollouts")


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


def unread(request: HttpRequest, stored: RolloutPlan) -> HttpResponse:
    """Say that this release can't read a plan, and lead to all of them."""
    messages.error(request, f"This release can't read the plan {stored}.")
    return redirect("admin:flags_rollout_plans")


async def aside(run: Callable[[], T]) -> T:
    """Run something long on one of two threads that nothing else waits for."""
    run_there = sync_to_async(_closing, thread_sensitive=False, executor=_threads)
    return await run_there(run)


def _closing(run: Callable[[], T]) -> T:
    try:
        return run()
    finally:
        if not connection.in_atomic_block:
            connection.close()
