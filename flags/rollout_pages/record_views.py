"""The log of decisions in the admin: list, one explained, files, and the check."""

import json
from functools import partial

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from flags import access, recalling
from flags.models import Decision, Rollout
from flags.rollout_pages import doors, frame, gate_rows, records, views, words

_KINDS = {
    "json": ("application/json", records.as_json),
    "csv": ("text/csv; charset=utf-8", records.as_csv),
}


@access.looking
def show_history(request: HttpRequest, *, rollout_id: int) -> HttpResponse:
    """List what was decided, the newest first."""
    rollout = views.found(rollout_id)
    show, by = request.GET.get("show", "changes"), request.GET.get("by", "")
    listed = records.page(
        rollout,
        show=show,
        by=by,
        before=frame.number(request.GET.get("before", "")),
    )
    context = {
        "rollout": rollout,
        "listed": listed,
        "show": show if show in records.SHOWN else "all",
        "shown": records.SHOWN.items(),
        "by": by,
        "people": records.people(rollout),
    }
    title = f"Decisions of rollout {rollout.pk}"
    return frame.page(request, "history", title, context)


@access.looking
def show_decision(
    request: HttpRequest, *, rollout_id: int, number: int
) -> HttpResponse:
    """Explain one decision by everything that it was made from."""
    rollout = views.found(rollout_id)
    decision = _decision(rollout, number)
    recalled = recalling.kept(decision)
    context = {
        "rollout": rollout,
        "decision": decision,
        "action": words.action(decision.action),
        "before": words.STATES.get(decision.state_before, decision.state_before),
        "after": words.STATES.get(decision.state_after, decision.state_after),
        "groups": gate_rows.groups(recalled.readings),
        "readings_note": recalled.note,
        "inputs": json.dumps(decision.inputs, indent=2, ensure_ascii=False),
        "earlier": _number(rollout, number - 1),
        "later": _number(rollout, number + 1),
    }
    title = f"Decision {number} of rollout {rollout.pk}"
    return frame.page(request, "decision", title, context)


async def check(request: HttpRequest, *, rollout_id: int) -> HttpResponse:
    """Hold all decisions against their hashes, on a thread that holds up nobody."""
    refusal = await sync_to_async(doors.guarded)(request)
    if refusal is not None:
        return refusal
    rollout = await sync_to_async(views.found)(rollout_id)
    count, faults = await doors.aside(partial(records.check, rollout))
    context = {
        "rollout": rollout,
        "count": count,
        "count_words": f"{count:,}",
        "faults": faults,
    }
    title = f"The decisions of rollout {rollout.pk} checked"
    return await sync_to_async(frame.page)(request, "check", title, context)


async def export(
    request: HttpRequest, *, rollout_id: int, kind: str
) -> HttpResponseBase:
    """Send all decisions as a file, while they are read."""
    refusal = await sync_to_async(doors.guarded)(request)
    if refusal is not None:
        return refusal
    rollout = await sync_to_async(views.found)(rollout_id)
    content_type, write = _KINDS[kind]
    name = f"rollout-{rollout.pk}-decisions.{kind}"
    return StreamingHttpResponse(
        write(rollout),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _decision(rollout: Rollout, number: int) -> Decision:
    """Raises: Http404."""
    found = rollout.decisions.filter(number=number).first()
    if found is None:
        raise Http404(f"Rollout {rollout.pk} has no decision {number}.")
    return found


def _number(rollout: Rollout, number: int) -> int | None:
    is_there = rollout.decisions.filter(number=number).exists()
    return number if is_there else None
