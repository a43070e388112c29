"""The control page in the admin: look, ask, confirm with a reason, look again."""

from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from flags import (
    access,
    changes,
    control,
    history,
    measurements,
    orders,
    runtime,
    values,
    wishes,
    wording,
)
from flags.changes import Actor
from flags.conf import PERCENT, USE
from flags.errors import Conflict, FlagsError
from flags.forms import (
    QUICK_PERCENTS,
    ImportForm,
    KillForm,
    PercentForm,
    ReasonForm,
    SettingsForm,
    as_document,
)
from flags.models import Change
from flags.rollouts import Order
from flags.wishes import Wish

# --- Look ----------------------------------------------------------------------------


@access.looking
def show_control(request: HttpRequest) -> HttpResponse:
    """Show the state, what was measured, and the forms."""
    return _control(request)


@access.looking
def show_history(request: HttpRequest) -> HttpResponse:
    """List the changes, the newest first."""
    name = request.GET.get("name", "")
    listed = history.page(name=name, number=request.GET.get("page", ""))
    context = {
        "listed": listed,
        "entries": history.entries(listed),
        "name": name,
        "names": history.names(),
    }
    return _page(request, "history", "History of rollout and settings", context)


@access.looking
def export(request: HttpRequest) -> HttpResponse:
    """Send every value as a file."""
    del request
    name = f"oracle-settings-{timezone.now():%Y-%m-%d-%H%M}.json"
    return JsonResponse(
        changes.export(),
        json_dumps_params={"indent": 2},
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


# --- Ask -----------------------------------------------------------------------------


@access.answering
def ask_percent(request: HttpRequest) -> HttpResponse:
    """Lead a percent to its confirmation."""
    form = PercentForm(request.POST)
    if not form.is_valid():
        return _control(request, percent_form=form)
    return _propose(request, form.wish())


@access.answering
def ask_settings(request: HttpRequest) -> HttpResponse:
    """Lead edited settings to their confirmation."""
    form = SettingsForm(request.POST)
    if not form.is_valid():
        return _control(request, settings_form=form)
    return _propose(request, form.wish())


@access.operating
def import_document(request: HttpRequest) -> HttpResponse:
    """Lead an exported document to its confirmation."""
    if request.method != "POST":
        return _import(request, ImportForm())
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _import(request, form)
    return _propose(request, form.wish())


@access.operating
def revert(request: HttpRequest, *, change_id: int) -> HttpResponse:
    """Lead the undoing of a change to its confirmation."""
    try:
        change, wanted, seen = changes.reversal(change_id)
    except FlagsError as error:
        messages.error(request, str(error))
        return redirect("admin:flags_history")
    wish = Wish(wanted=wanted, seen=seen, origin="history", reverts=change.pk)
    reason = f"Reverts change {change.pk} by {change.actor} ({change.reason})"
    return _propose(request, wish, reason=reason[:500])


# --- Confirm -------------------------------------------------------------------------


@access.answering
def confirm(request: HttpRequest) -> HttpResponse:
    """Change what was previewed, unless somebody was first."""
    wish = wishes.read(request.POST.get("wish", ""))
    if "back" in request.POST:
        return _back(request, wish)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _propose(request, wish, form=form)
    try:
        records = changes.apply(
            wish.wanted,
            actor=_actor(request),
            reason=form.cleaned_data["reason"],
            seen=wish.seen,
            reverts=Change.objects.filter(pk=wish.reverts or 0).first(),
        )
    except Conflict:
        return _conflict(request, wish)
    except FlagsError as error:
        messages.error(request, str(error))
        return _back(request, wish)
    messages.success(request, f"Changed {_summary(records)}.")
    return redirect("admin:flags_control")


@access.operating
def kill(request: HttpRequest) -> HttpResponse:
    """Switch the feature off for everybody; the second click, with or without why."""
    form = KillForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        order = Order(actor=_actor(request), reason=form.cleaned_data["reason"])
        if orders.kill(order, now=timezone.now()).changes:
            messages.warning(request, "Persistent sessions are off for everybody.")
        else:
            messages.info(request, "They were off already: nothing changed.")
        return redirect("admin:flags_control")
    standing = control.standing(runtime.current(), control.latest_changes())
    context = {"form": form, "standing": standing}
    return _page(request, "kill", "Switch off persistent sessions?", context)


def _propose(
    request: HttpRequest,
    wish: Wish,
    *,
    form: ReasonForm | None = None,
    reason: str = "",
) -> HttpResponse:
    """Show what a wish would change, and ask why."""
    try:
        differences = changes.preview(wish.wanted, seen=wish.seen)
    except Conflict:
        return _conflict(request, wish)
    except FlagsError as error:
        messages.error(request, str(error))
        return _back(request, wish)
    if not differences:
        messages.info(request, "Every value is already as asked: nothing to change.")
        return _back(request, wish)
    initial = {"wish": wish.sign(), "reason": reason}
    context = {
        "form": form or ReasonForm(initial=initial),
        "differences": [control.Step(each) for each in differences],
        "effects": wording.effects(differences, runtime.current()),
        "unchanged": len(wish.wanted) - len(differences),
        "origin": wish.origin,
    }
    return _page(request, "confirm", "Confirm the change", context)


def _conflict(request: HttpRequest, wish: Wish) -> HttpResponse:
    """Show what was changed meanwhile beside the wish, which stays one."""
    origin = "import" if wish.origin == "import" else "control"
    context = {
        "collisions": control.collisions(wish, runtime.current()),
        "wish": replace(wish, origin=origin, reverts=None).sign(),
        "wanted": [
            (wording.label(name), wording.text(name, raw))
            for name, raw in wish.wanted.items()
        ],
        "is_revert": wish.reverts is not None,
    }
    title = "Somebody else was first: nothing was changed"
    return _page(request, "conflict", title, context, status=409)


def _back(request: HttpRequest, wish: Wish) -> HttpResponse:
    """Show the page that a wish came from, with what was put in there."""
    if wish.origin == "import":
        form = ImportForm(initial={"document": as_document(wish.wanted)})
        return _import(request, form)
    if wish.origin == "history":
        return redirect("admin:flags_history")
    return _control(request, wish=wish)


# --- Pages ---------------------------------------------------------------------------


def _control(
    request: HttpRequest,
    *,
    percent_form: PercentForm | None = None,
    settings_form: SettingsForm | None = None,
    wish: Wish | None = None,
) -> HttpResponse:
    current, last = runtime.current(), control.latest_changes()
    held = values.write_all(current)
    given = held | (wish.wanted if wish else {})
    settings_form = settings_form or SettingsForm(initial=given)
    rollout = {
        "percent": given[PERCENT.name],
        "is_enabling": (given[USE.name], held[USE.name]) == ("true", "false"),
    }
    percent_form = percent_form or PercentForm(initial=rollout)
    context = {
        "standing": control.standing(current, last),
        "report": measurements.report(current),
        "rollout": control.rollout(current, last),
        "groups": control.groups(current, last, settings_form),
        "percent_form": percent_form,
        "settings_form": settings_form,
        "quick_percents": QUICK_PERCENTS,
        "percent_now": held[PERCENT.name],
        "holder": changes.holder(),
        "wrong": [each for each in (*percent_form, *settings_form) if each.errors],
        "seen": wishes.sign_seen(current),
    }
    return _page(request, "control", "Rollout and settings", context)


def _import(request: HttpRequest, form: ImportForm) -> HttpResponse:
    return _page(request, "import", "Import settings", {"form": form})


def _page(
    request: HttpRequest,
    name: str,
    title: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    context |= admin.site.each_context(request)
    context |= {
        "title": title,
        "page": name,
        "may_operate": access.may_operate(request),
    }
    return render(request, f"flags/{name}.html", context, status=status)


def _actor(request: HttpRequest) -> Actor:
    user = request.user
    return Actor(user.get_username(), Change.Channel.ADMIN, user.pk)


def _summary(records: list[Change]) -> str:
    return "; ".join(
        f"{wording.label(each.name)}: {wording.text(each.name, each.old)} → "
        f"{wording.text(each.name, each.new)}"
        for each in records
    )
