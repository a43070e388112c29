"""Who may see the control page, and who may change what it shows."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

View = Callable[..., HttpResponse]


def may_look(request: HttpRequest) -> bool:
    """Tell whether somebody may see the pages."""
    return request.user.has_perm("flags.view_flag") or may_operate(request)


def may_operate(request: HttpRequest) -> bool:
    """Tell whether somebody may change what the pages show."""
    return request.user.has_perm("flags.operate")


def _guarded(view: View, may: Callable[[HttpRequest], bool]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, **given: Any) -> HttpResponse:
        if not may(request):
            raise PermissionDenied
        return view(request, **given)

    return guarded


def looking(view: View) -> View:
    """Guard a page that shows something."""
    return _guarded(view, may_look)


def operating(view: View) -> View:
    """Guard a page that changes something."""
    return _guarded(view, may_operate)


def answering(view: View) -> View:
    """Guard a view that answers a form; whoever only comes by sees the control page."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return redirect("admin:flags_control")
        return view(request)

    return operating(answered)
