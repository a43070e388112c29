"""Who may look at monitoring's pages, and who may act on what they show."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def may_look(request: HttpRequest) -> bool:
    """Tell whether somebody may see the pages."""
    return request.user.has_perm("monitoring.view_alert") or may_operate(request)


def may_operate(request: HttpRequest) -> bool:
    """Tell whether somebody may acknowledge, silence and work on incidents."""
    return request.user.has_perm("monitoring.operate")


def looking(view: View) -> View:
    """Guard a page that shows something."""
    return _guarded(view, may_look)


def operating(view: View) -> View:
    """Guard a page that changes something."""
    return _guarded(view, may_operate)


def _guarded(view: View, may: Callable[[HttpRequest], bool]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, **given: int) -> HttpResponse:
        if not may(request):
            raise PermissionDenied
        return view(request, **given)

    return guarded
