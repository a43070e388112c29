"""Starting a rollout in the admin: choose a plan, see what it would do, say why."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from flags import access, gathering, plan_store, rollouts
from flags.errors import FlagsError
from flags.models import RolloutPlan
from flags.rollout_pages import doors, frame, standing, views, words
from flags.rollouts import Order

_DELAYS = [
    ("0", "now"),
    ("1", "in 1 hour"),
    ("4", "in 4 hours"),
    ("12", "in 12 hours"),
    ("24", "in a day"),
]


class StartForm(forms.Form):
    """When, whether without a drill, and why."""

    delay = forms.ChoiceField(label="Begins", choices=_DELAYS, initial="0")
    without_drill = forms.BooleanField(
        label="Start without a drill that ended well in the last 7 days",
        required=False,
    )
    reason = forms.CharField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why: the reason is kept with the rollout."},
        help_text="One sentence that the next operator understands.",
    )


@access.operating
def start(request: HttpRequest) -> HttpResponse:
    """Show what a plan would do; start it when that is confirmed."""
    stored = _chosen(request)
    if stored is None:
        messages.error(request, "No plan is stored: make one first.")
        return redirect("admin:flags_rollout_plans")
    form = StartForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _ask(request, stored, form)
    now = timezone.now()
    try:
        rollout = rollouts.start(
            stored,
            Order(actor=frame.actor(request), reason=form.cleaned_data["reason"]),
            now=now,
            starts_at=now + timedelta(hours=int(form.cleaned_data["delay"])),
            without_drill=form.cleaned_data["without_drill"],
        )
    except FlagsError as error:
        form.add_error(None, str(error))
        return _ask(request, stored, form)
    messages.success(request, f"Rollout {rollout.pk} is armed: plan {stored}.")
    return redirect("admin:flags_rollout")


def _ask(request: HttpRequest, stored: RolloutPlan, form: StartForm) -> HttpResponse:
    plan = plan_store.read_or_none(stored)
    if plan is None:
        return doors.unread(request, stored)
    context: dict[str, Any] = {
        "form": form,
        "stored": stored,
        "plans": RolloutPlan.objects.order_by("name", "-version"),
        "steps": standing.steps(plan),
        "length": words.span(sum(each.dwell_s for each in plan.phases)),
        "given": words.percent(gathering.flag_percent()),
        "drill": rollouts.newest_drill(),
        "is_one_active": views.is_one_active(),
    }
    status = 422 if form.is_bound else 200
    return frame.page(request, "start", "Start a rollout", context, status=status)


def _chosen(request: HttpRequest) -> RolloutPlan | None:
    """Return the plan that was chosen; without a choice, the newest."""
    chosen = frame.number(request.POST.get("plan") or request.GET.get("plan", ""))
    plans = RolloutPlan.objects.order_by("-id")
    found = plans.filter(pk=chosen) if chosen else plans
    return found.first()
