"""Orders in the admin: preview, confirm with a reason, or hear who was first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from flags import access, orders, rollouts
from flags.errors import Conflict, FlagsError
from flags.models import Rollout
from flags.orders import Preview
from flags.rollout_pages import frame, order_forms, verbs, views, words
from flags.rollout_pages.order_forms import AdvanceForm, OrderForm
from flags.rollout_pages.verbs import BY_KEY, Verb
from flags.rollouts import Order
from flags.situation import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What somebody asks for, of which rollout, and the version they decided by."""

    request: HttpRequest
    verb: Verb
    rollout: Rollout
    seen: int
    now: datetime

    @property
    def order(self) -> Order:
        """The wish, with the reason that was given so far."""
        reason = self.request.POST.get("reason", "")
        return Order(actor=frame.actor(self.request), reason=reason)


@access.operating
def order(request: HttpRequest, *, rollout_id: int, verb: str) -> HttpResponse:
    """Show what an order would do; carry it out when it is confirmed."""
    known = BY_KEY.get(verb)
    if known is None:
        raise Http404(f"Nothing is called {verb}.")
    if verb == "approve" and not frame.may_approve(request):
        raise PermissionDenied
    rollout = views.found(rollout_id)
    asked = _Asked(
        request=request,
        verb=known,
        rollout=rollout,
        seen=_seen(request, rollout),
        now=timezone.now(),
    )
    try:
        return _answer(asked)
    except Conflict:
        return _conflict(asked)
    except FlagsError as error:
        messages.error(request, str(error))
        return redirect(_home(rollout))


def _answer(asked: _Asked) -> HttpResponse:
    """Raises: FlagsError."""
    preview = orders.preview(
        asked.verb.key,
        asked.rollout,
        asked.order,
        now=asked.now,
        seen_version=asked.seen,
        **_shown_options(asked),
    )
    if preview.already:
        messages.info(asked.request, preview.already)
        return redirect(_home(asked.rollout))
    form = _form(asked, preview)
    if asked.request.method != "POST" or not form.is_valid():
        return _confirm(asked, preview, form)
    answer = orders.give(
        asked.verb.key,
        asked.rollout,
        asked.order,
        now=asked.now,
        seen_version=asked.seen,
        **form.options(asked.now),
    )
    tell = messages.success if answer.is_new else messages.info
    tell(asked.request, answer.sentence)
    return redirect(_home(asked.rollout))


def _shown_options(asked: _Asked) -> dict[str, Any]:
    """Return what a preview needs to know already."""
    if asked.verb.key != "release":
        return {}
    hold = asked.request.POST.get("hold") or asked.request.GET.get("hold", "")
    return {"hold_id": frame.number(hold)}


def _form(asked: _Asked, preview: Preview) -> OrderForm:
    data = asked.request.POST if asked.request.method == "POST" else None
    initial = {"seen": asked.seen, **_shown_options(asked)}
    if asked.verb.key == "advance":
        is_end = preview.outcome.move is Move.COMPLETE
        initial["phase"] = None if is_end else preview.outcome.phase_index + 1
        open_ones = [each for each in preview.obstacles if each.is_overridable]
        return AdvanceForm(data, obstacles=open_ones, initial=initial)
    if "hold_id" in initial:
        initial["hold"] = initial.pop("hold_id")
    return order_forms.FORMS.get(asked.verb.key, OrderForm)(data, initial=initial)


def _confirm(asked: _Asked, preview: Preview, form: OrderForm) -> HttpResponse:
    blocked = [each for each in preview.obstacles if not each.is_overridable]
    rollout = asked.rollout
    context = {
        "rollout": rollout,
        "verb": asked.verb,
        "form": form,
        "blocked": blocked,
        "effects": [asked.verb.meaning, *_asked_for(asked), *preview.sentences],
        "steps": _steps(rollout, preview),
    }
    status = 200 if asked.request.method != "POST" else 422
    return frame.page(
        asked.request, "confirm", asked.verb.question, context, status=status
    )


def _steps(rollout: Rollout, preview: Preview) -> list[tuple[str, str, str]]:
    """Return what would change, as name, value before and after."""
    outcome = preview.outcome
    found = [
        (
            "State",
            words.STATES[rollout.state].lower(),
            words.STATES[outcome.state].lower(),
        ),
        ("Percent", words.percent(rollout.percent), words.percent(outcome.percent)),
        ("Phase", str(rollout.phase_index + 1), str(outcome.phase_index + 1)),
    ]
    return [each for each in found if each[1] != each[2]]


def _asked_for(asked: _Asked) -> list[str]:
    """Return what somebody is to approve, and the words it was asked for with."""
    if asked.verb.key != "approve":
        return []
    rollout, index = asked.rollout, verbs.next_phase(asked.rollout)
    plan = rollouts.plan_of(rollout)
    requests = rollout.decisions.filter(action=Move.REQUEST_APPROVAL)
    request = requests.order_by("-number").first()
    if request is None or index >= len(plan.phases):
        return []
    percent = words.percent(plan.percent_of(index))
    return [f"Phase {index + 1} gives it to {percent}. {request.sentence}"]


def _conflict(asked: _Asked) -> HttpResponse:
    """Show what was decided since the person looked; nothing was done."""
    rollout = asked.rollout
    since = rollout.decisions.filter(number__gt=asked.seen, action__in=words.MOVED)
    news = [(each, words.action(each.action)) for each in since.order_by("number")]
    again = reverse("admin:flags_rollout_order", args=[rollout.pk, asked.verb.key])
    context = {
        "rollout": rollout,
        "verb": asked.verb,
        "news": news,
        "reason": asked.request.POST.get("reason", ""),
        "word": words.STATES[rollout.state].lower(),
        "given": words.percent(rollout.percent),
        "again": f"{again}?seen={rollout.version}",
    }
    title = "It was changed meanwhile: nothing was done"
    return frame.page(asked.request, "conflict", title, context, status=409)


def _seen(request: HttpRequest, rollout: Rollout) -> int:
    """Return the version that the person decided by; without one, that of now."""
    given = request.POST.get("seen") or request.GET.get("seen", "")
    seen = frame.number(given)
    return rollout.version if seen is None else seen


def _home(rollout: Rollout) -> str:
    return reverse("admin:flags_rollout_attempt", args=[rollout.pk])
