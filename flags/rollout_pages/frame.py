"""What every page of a rollout has: the admin's frame, and who may do what."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from flags import access
from flags.changes import Actor
from flags.models import Change, Rollout

_MAX_DIGITS = 9


def page(
    request: HttpRequest,
    name: str,
    title: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Show `flags/rollout_<name>.html` in the admin's frame."""
    context = (
        admin.site.each_context(request)
        | {
            "title": title,
            "page": name,
            "may_operate": access.may_operate(request),
            "may_approve": may_approve(request),
        }
        | context
    )
    return render(request, f"flags/rollout_{name}.html", context, status=status)


def may_approve(request: HttpRequest) -> bool:
    """Tell whether somebody may approve what another operator asked for."""
    return request.user.has_perm("flags.approve")


def number(text: str) -> int | None:
    """Return the whole number that a text is; None for another, or a huge one."""
    is_one = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    return int(text) if is_one else None


def actor(request: HttpRequest) -> Actor:
    """Return who asks, as records name them."""
    user = request.user
    return Actor(user.get_username(), Change.Channel.ADMIN, user.pk)


def newest() -> Rollout | None:
    """Return the newest attempt, whatever became of it; None: there was none yet."""
    return Rollout.objects.select_related("plan").order_by("-id").first()
