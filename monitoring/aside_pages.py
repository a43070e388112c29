"""Pages of the admin that are made on monitoring's own threads.

The rest of the admin shares one thread with the chat's answers, which a page of many
figures must not hold up.
"""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from monitoring import asides

View = Callable[..., HttpResponse]
AsyncView = Callable[..., Coroutine[Any, Any, HttpResponse]]


def page(
    site: AdminSite, view: View, *, may: Callable[[HttpRequest], bool]
) -> AsyncView:
    """Return a page that staff may see if `may` says so; `view` reads and renders it.

    One that takes too long, or finds no database, says that instead, with a 503.
    """

    async def shown(request: HttpRequest, **given: int) -> HttpResponse:
        refusal = await sync_to_async(_refusal)(site, request, may)
        if refusal is not None:
            return refusal
        try:
            response = await asides.read(partial(view, request, **given))
        except (TimeoutError, Error):
            response = await sync_to_async(_unavailable)(site, request)
        add_never_cache_headers(response)
        return response

    return shown


def _refusal(
    site: AdminSite, request: HttpRequest, may: Callable[[HttpRequest], bool]
) -> HttpResponse | None:
    """Return the way to the login; None for whoever may come in.

    Raises: PermissionDenied.
    """
    allowed = HttpResponse()
    answer = site.admin_view(lambda _: allowed)(request)
    if answer is not allowed:
        return answer
    if not may(request):
        raise PermissionDenied
    return None


def _unavailable(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Say so without asking the database for anything, such as the sidebar's list."""
    context = {
        "title": "No figures now",
        "site_header": site.site_header,
        "site_title": site.site_title,
        "site_url": site.site_url,
        "has_permission": True,
    }
    return render(request, "monitoring/unavailable.html", context, status=503)
