"""The chat pages."""

from functools import partial
from typing import Any

from django.forms import Form
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat import (
    addresses,
    bubbles,
    conversations,
    database,
    forms,
    generations,
    live_page,
    openings,
    ownership,
    pages,
    personalities,
    ratings,
    records,
    sse,
    turns,
)
from chat.errors import ConversationNotFound, InvalidRequest
from chat.models import Conversation, Message
from chat.ownership import Caller

_SHOWN_MESSAGES = 50


def _who(request: HttpRequest) -> Caller:
    return ownership.identify(request, is_page=True)


def _given(form: Form) -> dict[str, Any]:
    """Return what a form says. Raises: InvalidRequest."""
    if not form.is_valid():
        raise InvalidRequest(forms.first_error(form))
    return form.cleaned_data


@require_GET
@pages.page
async def home(request: HttpRequest) -> HttpResponseBase:
    """Start a conversation, or find an earlier one."""
    skip = sse.natural(request.GET.get("skip", ""))

    def build() -> HttpResponse:
        context = pages.frame(request, _who(request), skip=skip)
        context |= {
            "form": forms.NewForm(),
            "models": forms.model_choices(),
            "personalities": personalities.PERSONALITIES.values(),
        }
        return render(request, "chat/home.html", context)

    return await database.read(build)


@require_POST
@pages.page
async def new(request: HttpRequest) -> HttpResponseBase:
    """Begin a conversation with its first message."""
    given = _given(forms.NewForm(request.POST))
    turn = await turns.begin(
        partial(_who, request),
        conversations.Details(model=given["model"], personality=given["personality"]),
        text=given["message"],
        key=given["key"],
        address=addresses.client_address(request),
    )
    if pages.wants_json(request):
        url = reverse("conversation", args=[turn.conversation_id])
        response: HttpResponseBase = JsonResponse({"location": url})
    else:
        response = await _when_ended(turn)
    if turn.visitor is not None:
        ownership.remember_visitor(response, turn.visitor)
    return response


@require_GET
@pages.page
async def conversation(request: HttpRequest, conversation_id: int) -> HttpResponseBase:
    """Show the last messages of a conversation, and how it goes on."""
    before = sse.natural(request.GET.get("before", ""))

    def build() -> HttpResponse:
        caller = _who(request)
        found = ownership.conversation(caller, conversation_id)
        records.reap(conversation_id=found.pk)
        messages, earlier_url = _last_messages(found, before=before)
        context = pages.frame(request, caller) | {
            "conversation": found,
            "bubbles": bubbles.of_messages(
                messages, is_for_staff=request.user.is_staff
            ),
            "earlier_url": earlier_url,
            "is_running": openings.running(found) is not None,
            "form": forms.MessageForm(),
            "models": forms.model_choices(),
            "personalities": personalities.PERSONALITIES.values(),
        }
        return render(request, "chat/conversation.html", context)

    return await database.read(build)


@require_POST
@pages.page
async def send(request: HttpRequest, conversation_id: int) -> HttpResponseBase:
    """Say something in a conversation."""
    given = _given(forms.MessageForm(request.POST))
    turn = await turns.take_turn(
        partial(_who, request),
        conversation_id,
        text=given["message"],
        key=given["key"],
        address=addresses.client_address(request),
    )
    return await _begun(request, turn, is_new_message=True)


@require_POST
@pages.page
async def retry(request: HttpRequest, conversation_id: int) -> HttpResponseBase:
    """Answer the last message anew."""
    turn = await turns.retry(
        partial(_who, request),
        conversation_id,
        address=addresses.client_address(request),
    )
    return await _begun(request, turn, is_new_message=False)


@require_POST
@pages.page
async def resume(request: HttpRequest, conversation_id: int) -> HttpResponseBase:
    """Go on with an answer that broke off."""
    turn = await turns.resume(
        partial(_who, request),
        conversation_id,
        address=addresses.client_address(request),
    )
    return await _begun(request, turn, is_new_message=False)


@require_POST
@pages.page
async def stop(request: HttpRequest, conversation_id: int) -> HttpResponseBase:
    """Stop the running answer."""
    stopped = await turns.stop(partial(_who, request), conversation_id)
    if pages.wants_json(request):
        return JsonResponse({"stopped": bool(stopped)})
    for generation_id in stopped:
        await generations.engine().wait(generation_id)
    return HttpResponseRedirect(reverse("conversation", args=[conversation_id]))


@require_POST
@pages.page
async def rate(
    request: HttpRequest, conversation_id: int, message_id: int
) -> HttpResponseBase:
    """Say what an answer was like, or take it back."""
    rating = _given(forms.RatingForm(request.POST))["rating"]
    await database.write(
        lambda: ratings.rate(
            ownership.conversation(_who(request), conversation_id),
            message_id,
            rating or None,
        )
    )
    if pages.wants_json(request):
        return JsonResponse({"rating": rating})
    url = reverse("conversation", args=[conversation_id])
    return HttpResponseRedirect(f"{url}#m{message_id}", status=303)


@require_GET
@pages.page
async def events(request: HttpRequest, conversation_id: int) -> HttpResponseBase:
    """Follow the running answer as HTML."""
    turn = await database.read(
        lambda: openings.running(ownership.conversation(_who(request), conversation_id))
    )
    if turn is None:
        return HttpResponse(status=204)
    return sse.response(live_page.events(request, turn, after=sse.last_offset(request)))


@require_POST
@pages.page
async def change(request: HttpRequest, conversation_id: int) -> HttpResponseBase:
    """Rename a conversation, or change its model or personality."""
    given = _given(forms.SettingsForm(request.POST))
    wanted = {name: value for name, value in given.items() if value}
    await database.write(
        lambda: conversations.change(
            ownership.conversation(_who(request), conversation_id),
            conversations.Details(**wanted),
        )
    )
    return HttpResponseRedirect(reverse("conversation", args=[conversation_id]))


@require_http_methods(["GET", "POST"])
@pages.page
async def delete(request: HttpRequest, conversation_id: int) -> HttpResponseBase:
    """Ask, then delete a conversation."""
    if request.method == "POST":
        await turns.delete(partial(_who, request), conversation_id)
        return HttpResponseRedirect(reverse("home"))

    def build() -> HttpResponse:
        caller = _who(request)
        found = ownership.conversation(caller, conversation_id)
        context = pages.frame(request, caller) | {"conversation": found}
        return render(request, "chat/delete.html", context)

    return await database.read(build)


async def _begun(
    request: HttpRequest, turn: openings.Turn, *, is_new_message: bool
) -> HttpResponseBase:
    """Tell the script where to listen; let a plain form wait for the answer."""
    if not pages.wants_json(request):
        return await _when_ended(turn)
    return JsonResponse(
        await database.read(
            partial(_begun_json, request, turn, is_new_message=is_new_message)
        )
    )


def _begun_json(
    request: HttpRequest, turn: openings.Turn, *, is_new_message: bool
) -> dict[str, Any]:
    """Raises: ConversationNotFound when it was deleted since the turn was stored."""
    known = Message.objects.select_related("parent", "conversation")
    answer = known.filter(pk=turn.message_id).first()
    if answer is None:
        raise ConversationNotFound
    shown = [answer.parent, answer] if answer.parent else [answer]
    html = [
        render_to_string("chat/_message.html", {"bubble": bubble}, request)
        for bubble in bubbles.of_messages(shown)
    ]
    return {
        "user_html": html[0] if is_new_message else "",
        "assistant_html": html[-1],
        "events_url": reverse("events", args=[turn.conversation_id]),
        "title": answer.conversation.title,
        "message_id": answer.pk,
    }


async def _when_ended(turn: openings.Turn) -> HttpResponseBase:
    await generations.engine().wait(turn.generation_id)
    url = reverse("conversation", args=[turn.conversation_id])
    return HttpResponseRedirect(f"{url}#m{turn.message_id}", status=303)


def _last_messages(
    conversation: Conversation, *, before: int
) -> tuple[list[Message], str]:
    """Return up to 50 messages, oldest first, and where the earlier ones are."""
    visible = conversations.visible_messages(conversation)
    if before:
        visible = visible.filter(id__lt=before)
    newest_first = list(visible.order_by("-id")[: _SHOWN_MESSAGES + 1])
    shown = newest_first[:_SHOWN_MESSAGES][::-1]
    has_more = len(newest_first) > _SHOWN_MESSAGES
    url = reverse("conversation", args=[conversation.pk])
    return shown, f"{url}?before={shown[0].pk}" if has_more else ""
