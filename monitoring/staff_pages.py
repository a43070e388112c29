"""What monitoring's pages for staff have in common: their frame, and who acts."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from monitoring import access


def page(
    request: HttpRequest,
    template: str,
    title: str,
    context: Mapping[str, Any],
    *,
    place: str,
) -> HttpResponse:
    """Return a page in the frame; `place` is which link of the frame it is under."""
    frame = {
        **admin.site.each_context(request),
        "title": title,
        "page": place,
        "may_operate": access.may_operate(request),
    }
    return render(request, f"monitoring/{template}.html", {**frame, **context})


def actor(request: HttpRequest) -> str:
    """Return the name under which is recorded what somebody does."""
    return str(request.user.get_username())
