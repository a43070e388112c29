"""Plans in the admin: every version, what it can see, and a new one made from it."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from flags import access, plan_store
from flags.errors import FlagsError
from flags.gates import words as figures
from flags.models import Rollout, RolloutPlan
from flags.plans import Plan, Success
from flags.rollout_pages import (
    doors,
    foresight,
    frame,
    matrix,
    plan_forms,
    standing,
    words,
)
from flags.rollout_pages.foresight import Outlook, TrafficForm
from flags.rollout_pages.plan_forms import HarmForms, LimitsForm, PhaseForms


@access.looking
def show_plans(request: HttpRequest) -> HttpResponse:
    """List every version of every plan."""
    followed = set(Rollout.objects.values_list("plan_id", flat=True))
    listed = [
        (each, plan_store.read_or_none(each), each.pk in followed)
        for each in RolloutPlan.objects.order_by("name", "-version")
    ]
    rows = [
        (stored, standing.steps(plan) if plan else [], is_followed)
        for stored, plan, is_followed in listed
    ]
    return frame.page(request, "plans", "Plans", {"rows": rows})


@access.looking
def show_plan(request: HttpRequest, *, name: str, version: int) -> HttpResponse:
    """Show a version, and what each phase can see with the traffic that is given."""
    stored = _found(name, version)
    plan = plan_store.read_or_none(stored)
    if plan is None:
        return doors.unread(request, stored)
    form = TrafficForm(request.GET if "per_hour" in request.GET else None)
    context = {
        "stored": stored,
        "plan": plan,
        "steps": standing.steps(plan),
        "success": _success(plan),
        "harms": _harms(plan),
        "rules": matrix.rules(plan),
        "faults": plan_store.faults(plan),
        "traffic": form,
        "outlooks": _outlooks(plan, form),
        "limits": _limits(plan),
    }
    return frame.page(request, "plan", f"Plan {stored}", context)


async def measure(request: HttpRequest, *, name: str, version: int) -> HttpResponse:
    """Measure the traffic on a thread that holds up nobody; lead back with it."""
    refusal = await sync_to_async(doors.guarded)(request)
    if refusal is not None:
        return refusal
    fields = await doors.aside(partial(foresight.measured, timezone.now()))
    address = reverse("admin:flags_rollout_plan", args=[name, version])
    given = {"per_hour": "", "failing": ""} | fields | {"measured": "1"}
    return redirect(f"{address}?{urlencode(given)}#traffic")


@access.operating
def new_version(request: HttpRequest, *, name: str, version: int) -> HttpResponse:
    """Make a new version of a plan from this one."""
    stored = _found(name, version)
    before = plan_store.read_or_none(stored)
    if before is None:
        return doors.unread(request, stored)
    forms = _forms(before, request.POST if request.method == "POST" else None)
    number = _next_version(name)
    wanted = _wanted(before, forms, number) if request.method == "POST" else before
    faults = plan_store.faults(wanted) if wanted else []
    if wanted and not faults and "save" in request.POST:
        return _save(request, wanted)
    given = request.POST if request.method == "POST" else request.GET
    traffic = TrafficForm(given if given.get("per_hour") else None)
    context = forms | {
        "stored": stored,
        "number": number,
        "faults": faults,
        "is_wrong": wanted is None,
        "is_previewed": request.method == "POST" and wanted is not None,
        "unshown": plan_forms.unshown(before),
        "traffic": traffic,
        "outlooks": _outlooks(wanted, traffic) if wanted and not faults else [],
    }
    status = 422 if wanted is None or (faults and "save" in request.POST) else 200
    title = f"New version of the plan {name}"
    return frame.page(request, "plan_new", title, context, status=status)


def _forms(plan: Plan, data: Mapping[str, Any] | None) -> dict[str, Any]:
    phases = plan_forms.of_phases(plan.phases)
    harms = plan_forms.of_harms(plan.harms)
    return {
        "phases": PhaseForms(data, initial=phases, prefix="phase"),
        "harms": HarmForms(data, initial=harms, prefix="harm"),
        "limits": LimitsForm(data, initial=plan_forms.of_limits(plan), prefix="limit"),
    }


def _wanted(before: Plan, forms: Mapping[str, Any], version: int) -> Plan | None:
    """Return the plan that was typed; None where a field is wrong."""
    if not all([each.is_valid() for each in forms.values()]):  # noqa: C419 - all of them
        return None
    phases = [
        each
        for each in forms["phases"]
        if each.has_changed() or each in forms["phases"].initial_forms
    ]
    return plan_forms.changed(
        before,
        forms["limits"].cleaned_data,
        version=version,
        phases=tuple(e.phase() for e in phases if not e.cleaned_data.get("DELETE")),
        harms=tuple(
            e.harm() for e in forms["harms"] if not e.cleaned_data.get("DELETE")
        ),
    )


def _save(request: HttpRequest, plan: Plan) -> HttpResponse:
    try:
        stored, _ = plan_store.add(plan, by=request.user.get_username())
    except FlagsError as error:
        messages.error(request, str(error))
        return redirect("admin:flags_rollout_plans")
    messages.success(request, f"Plan {stored} is stored.")
    return redirect("admin:flags_rollout_plan", stored.name, stored.version)


def _outlooks(plan: Plan, form: TrafficForm) -> list[Outlook]:
    if not form.is_valid():
        return []
    return list(foresight.outlooks(plan, **form.cleaned_data))


def _success(plan: Plan) -> list[tuple[int, list[str]]]:
    """Return what each phase must show, in words."""
    return [
        (number, [_asked(each) for each in phase.success])
        for number, phase in enumerate(plan.phases, 1)
    ]


def _asked(gate: Success) -> str:
    known = plan_forms.MEASURES.get(gate.metric)
    bound = "at least" if gate.is_above else "at most"
    label = known[1] if known else f"{words.label(gate.metric)}, {bound}"
    end = "" if gate.is_required else " (shown only)"
    return f"{label} {figures.share(gate.threshold)}{end}"


def _limits(plan: Plan) -> dict[str, str]:
    """Return a plan's limits with their units."""
    return {
        "holdback": words.percent(plan.holdback_percent),
        "extension": words.span(plan.max_extension_s),
        "slow": f"{plan.slow_ms:,.0f}{words.SPACE}ms",
        "costly": f"{plan.costly_tokens:,.0f}{words.SPACE}tokens",
    }


def _harms(plan: Plan) -> list[tuple[str, str, str, str]]:
    return [
        (
            words.label(each.key),
            figures.share(each.alpha),
            f"{each.margin:g}",
            words.DOES[each.action],
        )
        for each in plan.harms
    ]


def _next_version(name: str) -> int:
    newest = RolloutPlan.objects.filter(name=name).aggregate(newest=Max("version"))
    return int(newest["newest"] or 0) + 1


def _found(name: str, version: int) -> RolloutPlan:
    """Raises: Http404."""
    found = RolloutPlan.objects.filter(name=name, version=version).first()
    if found is None:
        raise Http404(f"There is no version {version} of a plan {name}.")
    return found
