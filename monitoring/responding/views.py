"""The incident pages in the admin: look, open, work on, tell people, resolve."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from monitoring import access, incidents, staff_pages
from monitoring.errors import Conflict, MonitoringError, UnknownIncident
from monitoring.models import Incident
from monitoring.responding import pages, postmortem
from monitoring.responding.details import ROLES
from monitoring.responding.forms import (
    EditForm,
    OpenForm,
    PublishForm,
    ResolveForm,
    UpdateForm,
)
from monitoring.staff_pages import actor

page = partial(staff_pages.page, place="incidents")

# --- Look ----------------------------------------------------------------------------


@access.looking
def show_incidents(request: HttpRequest) -> HttpResponse:
    """List the open ones, then the resolved, with the mean times."""
    context = pages.overview(number=request.GET.get("page", ""))
    return page(request, "incidents", "Incidents", context)


@access.looking
def show_incident(request: HttpRequest, *, incident_id: int) -> HttpResponse:
    """Show one with its timeline and, for operators, what can be done."""
    return _incident(request, found(incident_id))


@access.looking
def download_postmortem(request: HttpRequest, *, incident_id: int) -> HttpResponse:
    """Send the post-mortem as a file."""
    del request
    document = postmortem.markdown(found(incident_id), now=timezone.now())
    name = f"incident-{incident_id}-postmortem.md"
    return HttpResponse(
        document,
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


# --- Act -----------------------------------------------------------------------------


@access.operating
def open_incident(request: HttpRequest) -> HttpResponse:
    """Open one by hand."""
    form = OpenForm(request.POST or None)
    if form.is_valid():
        try:
            opened = incidents.open_by_hand(**form.cleaned_data, actor=actor(request))
        except MonitoringError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Incident {opened.pk} is open.")
            return redirect("admin:monitoring_incident", incident_id=opened.pk)
    return page(request, "incident_open", "Open an incident", {"form": form})


@access.operating
def acknowledge(request: HttpRequest, *, incident_id: int) -> HttpResponse:
    """Say that somebody is at it."""
    return _do(
        request,
        found(incident_id),
        lambda: incidents.acknowledge(incident_id, actor=actor(request)),
        "Acknowledged.",
    )


@access.operating
def update(request: HttpRequest, *, incident_id: int) -> HttpResponse:
    """Add a note, set the status, promise the next update: all of it or nothing."""
    incident = found(incident_id)
    form = UpdateForm(request.POST or None, incident=incident)
    return _do(
        request,
        incident,
        lambda: _update(incident_id, form, actor=actor(request)),
        "The update is in the timeline.",
        update_form=form,
    )


@access.operating
def edit(request: HttpRequest, *, incident_id: int) -> HttpResponse:
    """Change its description and who does what."""
    incident = found(incident_id)
    form = EditForm(request.POST or None, incident=incident)
    return _do(
        request,
        incident,
        lambda: _edit(incident_id, form, actor=actor(request)),
        "Saved.",
        edit_form=form,
    )


@access.operating
def publish(request: HttpRequest, *, incident_id: int) -> HttpResponse:
    """Show it on the status page."""
    incident = found(incident_id)
    form = PublishForm(request.POST or None, incident=incident)
    return _do(
        request,
        incident,
        lambda: incidents.publish(
            incident_id, **form.cleaned_data, actor=actor(request)
        ),
        "It is on the status page, while that is switched on.",
        publish_form=form,
    )


@access.operating
def withdraw(request: HttpRequest, *, incident_id: int) -> HttpResponse:
    """Take it off the status page."""
    return _do(
        request,
        found(incident_id),
        lambda: incidents.withdraw(incident_id, actor=actor(request)),
        "It is off the status page.",
    )


@access.operating
def resolve(request: HttpRequest, *, incident_id: int) -> HttpResponse:
    """Ask once more, then end it."""
    incident = found(incident_id)
    is_sent = request.method == "POST"
    form = ResolveForm(request.POST if is_sent else None, incident=incident)
    if form.is_valid():
        try:
            incidents.resolve(incident_id, **form.cleaned_data, actor=actor(request))
        except MonitoringError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Incident {incident_id} is resolved.")
            return redirect("admin:monitoring_incident", incident_id=incident_id)
    context = pages.one(incident) | {"form": form, "parent": incident}
    return page(
        request, "incident_resolve", f"Resolve incident {incident_id}?", context
    )


def _update(incident_id: int, form: UpdateForm, *, actor: str) -> None:
    given = form.cleaned_data
    text, promise = given["text"], given.get("promise")
    is_public = bool(given.get("is_public")) and bool(text)
    if form.new_status:
        incidents.set_status(
            incident_id,
            form.new_status,
            actor=actor,
            text=text,
            seen=given["seen"],
            is_public=is_public,
        )
    elif text:
        incidents.add_note(incident_id, text, actor=actor, is_public=is_public)
    if promise:
        minutes = None if promise == "none" else timedelta(minutes=int(promise))
        at = timezone.now() + minutes if minutes else None
        incidents.promise_update(incident_id, at, actor=actor)


def _edit(incident_id: int, form: EditForm, *, actor: str) -> None:
    roles = {name: text for name, text in form.edited.items() if name in ROLES}
    texts = {name: text for name, text in form.edited.items() if name not in ROLES}
    incidents.describe(incident_id, texts, actor=actor, seen=form.seen)
    incidents.assign(incident_id, roles, actor=actor, seen=form.seen)


def _do(
    request: HttpRequest,
    incident: Incident,
    step: Callable[[], object],
    done: str,
    **forms: Form,
) -> HttpResponse:
    """Do a step; where it is refused, show its page with what was typed."""
    if request.method != "POST":
        return redirect("admin:monitoring_incident", incident_id=incident.pk)
    if all(form.is_valid() for form in forms.values()):
        try:
            with transaction.atomic():
                step()
        except MonitoringError as error:
            messages.error(request, str(error))
            if isinstance(error, Conflict):
                forms = _seen_again(forms, found(incident.pk))
        else:
            messages.success(request, done)
            return redirect("admin:monitoring_incident", incident_id=incident.pk)
    return _incident(request, found(incident.pk), **forms)


def _seen_again(forms: dict[str, Form], incident: Incident) -> dict[str, Form]:
    return {
        name: form.again(incident) if isinstance(form, UpdateForm | EditForm) else form
        for name, form in forms.items()
    }


# --- Pages ---------------------------------------------------------------------------


def _incident(request: HttpRequest, incident: Incident, **forms: Form) -> HttpResponse:
    context = pages.one(incident) | {
        "update_form": UpdateForm(incident=incident),
        "edit_form": EditForm(incident=incident),
        "publish_form": PublishForm(incident=incident),
    }
    context |= forms
    context["wrong_form"] = next(iter(forms), "")
    return page(request, "incident", f"Incident {incident.pk}", context)


def found(incident_id: int) -> Incident:
    """Return an incident. Raises: Http404."""
    try:
        return incidents.find(incident_id)
    except UnknownIncident as error:
        raise Http404(str(error)) from error
