"""The rollout page: where it stands, what its gates say, what an operator can do."""

from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from flags import access, gathering, plan_store, rollouts
from flags.errors import UnknownRollout
from flags.gates.knowledge import Knowledge
from flags.intents.scene import POSSIBLE, UNDER_WAY
from flags.models import Approval, Hold, Rollout, RolloutPlan
from flags.plans import Plan
from flags.rollout_pages import (
    evidence,
    frame,
    gate_rows,
    matrix,
    standing,
    verbs,
    words,
)
from flags.situation import Move, State

_PER_PAGE = 25


@access.looking
def show_rollout(
    request: HttpRequest, *, rollout_id: int | None = None
) -> HttpResponse:
    """Show an attempt, the newest one unless another is asked for."""
    rollout = frame.newest() if rollout_id is None else found(rollout_id)
    if rollout is None:
        return nothing_started(request)
    now = timezone.now()
    if fault := rollouts.plan_fault(rollout):
        return _show_unread(request, rollout, fault, now)
    plan = rollouts.plan_of(rollout)
    knowledge, _ = gathering.known(rollout)
    return frame.page(
        request,
        "show",
        f"Rollout {rollout.pk}",
        _state(request, rollout, plan, knowledge, now)
        | _gates(rollout, plan, knowledge)
        | _charts(request, rollout, plan, knowledge, now),
    )


@access.looking
def show_rollouts(request: HttpRequest) -> HttpResponse:
    """List every attempt, the newest first."""
    attempts = Rollout.objects.select_related("plan").order_by("-id")
    listed = Paginator(attempts, _PER_PAGE).get_page(request.GET.get("page", ""))
    rows = [(each, words.STATES[each.state].lower()) for each in listed]
    context = {"listed": listed, "rows": rows, "is_one_active": is_one_active()}
    return frame.page(request, "attempts", "Rollouts", context)


def nothing_started(request: HttpRequest) -> HttpResponse:
    """Say what a rollout would do, where there was none yet."""
    stored = RolloutPlan.objects.order_by("-id").first()
    plan = plan_store.read_or_none(stored) if stored else None
    context = {
        "stored": stored,
        "steps": standing.steps(plan) if plan else [],
        "rules": matrix.rules(plan) if plan else [],
        "length": words.span(sum(p.dwell_s for p in plan.phases)) if plan else "",
        "given": words.percent(gathering.flag_percent()),
    }
    return frame.page(request, "none", "No rollout yet", context)


def found(rollout_id: int) -> Rollout:
    """Return an attempt. Raises: Http404."""
    try:
        return rollouts.find(rollout_id)
    except UnknownRollout as error:
        raise Http404(str(error)) from error


def is_one_active() -> bool:
    """Tell whether a rollout is under way, so that none can be started."""
    return Rollout.objects.filter(ended_at=None).exists()


def _show_unread(
    request: HttpRequest, rollout: Rollout, fault: str, now: datetime
) -> HttpResponse:
    """Show what there is to see and do without the plan."""
    context = _bare(rollout, now) | {
        "fault": fault,
        "where": f"at {words.percent(rollout.percent)}",
        "word": words.STATES[rollout.state],
        "can_roll_back": "rollback" in POSSIBLE[State(rollout.state)],
    }
    return frame.page(request, "unread", f"Rollout {rollout.pk}", context)


def _bare(rollout: Rollout, now: datetime) -> dict[str, Any]:
    """Return what takes no plan."""
    newest = frame.newest()
    is_newest = newest is not None and newest.pk == rollout.pk
    last = rollout.decisions.order_by("-number").first()
    return {
        "rollout": rollout,
        "is_newest": is_newest,
        "meaning": words.MEANINGS[rollout.state],
        "last": last,
        "last_action": words.action(last.action) if last else "",
        "is_look": last is not None and last.action == Move.NONE,
        "has_told_why": last is not None and last.reason in last.sentence,
        "cause": standing.cause(rollout, last),
        "can_kill": is_newest and _can_kill(rollout),
        "warnings": standing.warnings(rollout, now),
        "exposure": standing.exposure(rollout, now) if is_newest else [],
    }


def _can_kill(rollout: Rollout) -> bool:
    """Tell whether there is anything left to switch off, or to keep from beginning."""
    if rollout.state == State.ROLLING_BACK:
        return gathering.flag_percent() > 0
    return rollout.state != State.ROLLED_BACK


def _state(
    request: HttpRequest,
    rollout: Rollout,
    plan: Plan,
    knowledge: Knowledge,
    now: datetime,
) -> dict[str, Any]:
    word, where = standing.title(rollout, plan)
    bare = _bare(rollout, now)
    # What people asked of one that is over waits for nobody any more.
    is_under_way = rollout.state in UNDER_WAY
    return bare | {
        "word": word,
        "where": where,
        "progress": standing.progress(rollout, plan, knowledge, now),
        "next_look": standing.next_look(rollout, plan, now),
        "steps": standing.steps(plan, rollout),
        "holds": _holds(rollout, now) if is_under_way else [],
        "approvals": _approvals(request, rollout, now) if is_under_way else [],
        "buttons": verbs.buttons(rollout, plan) if bare["is_newest"] else [],
        "budgets": gate_rows.budgets(knowledge, plan),
        "is_one_active": is_one_active(),
        "drill": rollouts.newest_drill(),
    }


def _gates(rollout: Rollout, plan: Plan, knowledge: Knowledge) -> dict[str, Any]:
    told = gate_rows.told(rollout, knowledge)
    is_taken_back = rollout.state in {State.ROLLING_BACK, State.ROLLED_BACK}
    return {
        "told": told,
        "is_taken_back": is_taken_back,
        # What fails by chance as a person ends it would read as the cause.
        "is_firing_shown": bool(told.firing)
        and (not is_taken_back or standing.was_taken_back_by_gate(rollout)),
        "rules": matrix.rules(plan),
    }


def _charts(
    request: HttpRequest,
    rollout: Rollout,
    plan: Plan,
    knowledge: Knowledge,
    now: datetime,
) -> dict[str, Any]:
    span = request.GET.get("span", "all")
    span = span if span in evidence.SPANS else "all"
    return {
        "span": span,
        "spans": evidence.SPANS.items(),
        "panels": evidence.panels(rollout, plan, knowledge, span=span, now=now),
    }


def _holds(rollout: Rollout, now: datetime) -> list[Hold]:
    lasting = Q(until=None) | Q(until__gt=now)
    return list(rollout.holds.filter(lasting, released_at=None).order_by("id"))


def _approvals(
    request: HttpRequest, rollout: Rollout, now: datetime
) -> list[tuple[Approval, bool]]:
    """Return those that are asked for or given, and whether this person may give it."""
    name = request.user.get_username()
    recent = gathering.approvals(rollout, now).filter(
        phase_index__gte=rollout.phase_index
    )
    may = frame.may_approve(request)
    return [
        (each, may and not each.approved_at and each.requested_by != name)
        for each in recent.filter(requested_at__gt=now - timedelta(days=30)).order_by(
            "id"
        )
    ]
