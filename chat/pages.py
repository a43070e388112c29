"""What every page shows around its own matter, and how errors look on a page."""

import os
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from chat import conversations, problems
from chat.errors import ChatError, ConversationNotFound, NotAuthenticated
from chat.ownership import Caller

SIDEBAR_LIMIT = 30
_NOTICES = {
    "smollm2": (
        "Answers come from SmolLM2-135M, a tiny model on this machine, not from "
        "Gemini. It is often wrong. Set GEMINI_API_KEY to use Gemini."
    ),
    "scripted": (
        "Answers are scripted test texts, not from Gemini. "
        "Set GEMINI_API_KEY to use Gemini."
    ),
}

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def frame(request: HttpRequest, caller: Caller, *, skip: int = 0) -> dict[str, Any]:
    """Return the context of `base.html`: sidebar, owner, notice."""
    page = conversations.newest(caller, skip=skip, limit=SIDEBAR_LIMIT)
    more = skip + SIDEBAR_LIMIT
    is_user = request.user.is_authenticated
    return {
        "conversations": page.items,
        "more_url": f"{reverse('home')}?skip={more}" if page.total > more else "",
        "owner_label": request.user.get_username() if is_user else "Visitor",
        "model_notice": _NOTICES.get(os.environ.get("LOCAL_GEMINI_BRAIN", ""), "")
        if settings.GEMINI_BASE_URL
        else "",
        "access": settings.ORACLE_ACCESS,
        "message_max": settings.MAX_MESSAGE_CHARS,
    }


def wants_json(request: HttpRequest) -> bool:
    """Tell whether our script asks rather than a form."""
    return "application/json" in request.headers.get("Accept", "")


def page(view: View) -> View:
    """Turn the errors of a page's view into words, for a script or for a person."""

    @wraps(view)
    async def answered(
        request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        try:
            response = await view(request, *args, **kwargs)
        except ChatError as error:
            response = error_page(request, error)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answered


def error_page(request: HttpRequest, error: ChatError) -> HttpResponseBase:
    """Answer with the error, the person's text kept, and the next step."""
    if wants_json(request) or request.headers.get("Accept") == "text/event-stream":
        return problems.response(request, error)
    if isinstance(error, NotAuthenticated):
        return redirect_to_login(request.get_full_path())
    if isinstance(error, ConversationNotFound):
        return render(request, "404.html", status=404)
    found = request.resolver_match
    conversation_id = found.kwargs.get("conversation_id") if found else None
    context = {
        "title": "That did not work",
        "sentence": error.detail,
        "hint": _hint(error),
        "kept_text": request.POST.get("message", ""),
        "back_url": reverse("conversation", args=[conversation_id])
        if conversation_id
        else reverse("home"),
        "back_label": "Back to the conversation" if conversation_id else "Back",
        "request_id": request.META.get("ORACLE_REQUEST_ID", ""),
    }
    response = render(request, "chat/error.html", context, status=error.status)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(round(error.retry_after_s))
    return response


def _hint(error: ChatError) -> str:
    if error.retry_after_s is None:
        return ""
    return f"You can try again in {error.retry_after_s:.0f} s."
