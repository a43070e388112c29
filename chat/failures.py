"""What is shown when a request does not get as far as a view of ours."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from chat import pages, problems
from chat.errors import NoSuchAddress, PermissionDenied, Unexpected


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Say that a form was too old or came from elsewhere."""
    del reason
    return pages.error_page(
        request,
        PermissionDenied(
            "This form could not be checked: it may be too old, or cookies are "
            "blocked. Go back, reload the page and send again."
        ),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer an unknown address, in JSON below `/api/`."""
    del exception
    if request.path.startswith("/api/"):
        return problems.response(request, NoSuchAddress())
    return render(request, "404.html", status=404)


def failed(request: HttpRequest) -> HttpResponseBase:
    """Answer after a surprise; nothing of it is shown."""
    if request.path.startswith("/api/"):
        return problems.response(request, Unexpected())
    return render(request, "500.html", status=500)
