"""`/status`: what anybody may know, while it is switched on."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from monitoring.responding import status_page
from monitoring.responding.status_page import Notice
from oracle_site import status_watch
from oracle_site.status_watch import Page

_MOST_IN_BANNER = 3


@require_safe
async def show(request: HttpRequest) -> HttpResponse:
    """Show the page; 503 while nothing can be told, 404 while it is switched off."""
    del request
    page = _page()
    html = page.html or status_watch.render(None)
    return HttpResponse(html, status=_status(page), headers=_headers(page))


@require_safe
async def as_json(request: HttpRequest) -> JsonResponse:
    """Answer with the same for programs."""
    del request
    page = _page()
    body = (
        status_page.as_json(page.snapshot)
        if page.snapshot
        else status_page.silence(timezone.now())
    )
    return JsonResponse(body, status=_status(page), headers=_headers(page))


def notices() -> list[Notice]:
    """Return the open public incidents, for the chat's pages; asks nobody."""
    page = status_watch.latest()
    if not page.is_on or page.snapshot is None:
        return []
    return page.snapshot.open_notices[:_MOST_IN_BANNER]


def _page() -> Page:
    """Return the page. Raises: Http404 while it is switched off."""
    page = status_watch.latest()
    if not page.is_on:
        raise Http404("The status page is switched off.")
    return page


def _status(page: Page) -> int:
    return 200 if page.snapshot else 503


def _headers(page: Page) -> dict[str, str]:
    seconds = round(status_watch.LOOK_EVERY_S)
    kept = f"public, max-age={seconds}" if page.snapshot else "no-store"
    return {"Cache-Control": kept}
