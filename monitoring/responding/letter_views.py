"""The letters' pages: a draft to edit, a preview, and the sending."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from monitoring import access
from monitoring.errors import MonitoringError
from monitoring.models import Incident
from monitoring.responding import letters
from monitoring.responding.forms import LetterForm
from monitoring.responding.letters import Kind, Letter
from monitoring.responding.views import found, page
from monitoring.staff_pages import actor


@access.operating
def write(request: HttpRequest, *, incident_id: int, kind: str) -> HttpResponse:
    """Draft, edit, preview, send: each step shows the letter as it is by then."""
    incident, chosen = found(incident_id), _kind(kind)
    if request.method != "POST":
        return _edit(request, incident, chosen, _draft(incident, chosen))
    form = LetterForm(request.POST)
    if not form.is_valid() or "edit" in request.POST:
        return _edit(request, incident, chosen, form)
    letter = Letter(form.cleaned_data["subject"], form.cleaned_data["body"])
    try:
        if "send" not in request.POST:
            letters.checked(letter)
            return _preview(request, incident, chosen, form)
        count = letters.send(
            incident_id,
            chosen,
            letter,
            actor=actor(request),
            seen=form.cleaned_data["seen"],
        )
    except MonitoringError as error:
        form.add_error(None, str(error))
        return _edit(request, incident, chosen, form)
    channels = f"{count} channel{'s' if count > 1 else ''}"
    messages.success(request, f"The message goes out by {channels} now.")
    return redirect("admin:monitoring_incident", incident_id=incident_id)


def _kind(raw: str) -> Kind:
    try:
        return Kind(raw)
    except ValueError as error:
        raise Http404(f"There is no letter {raw!r}.") from error


def _draft(incident: Incident, kind: Kind) -> LetterForm:
    draft = letters.draft(kind, incident, now=timezone.now())
    return LetterForm(
        initial={
            "subject": draft.subject,
            "body": draft.body,
            "seen": letters.last_sent(incident),
        }
    )


def _edit(
    request: HttpRequest, incident: Incident, kind: Kind, form: LetterForm
) -> HttpResponse:
    letter = Letter(form["subject"].value() or "", form["body"].value() or "")
    context = {
        "incident": incident,
        "parent": incident,
        "kind": kind,
        "form": form,
        "gaps": letters.gaps(letter),
    }
    return page(request, "letter", kind.label.capitalize(), context)


def _preview(
    request: HttpRequest, incident: Incident, kind: Kind, form: LetterForm
) -> HttpResponse:
    context = {"incident": incident, "parent": incident, "kind": kind, "form": form}
    title = f"Send this {kind.label}?"
    return page(request, "letter_preview", title, context | form.cleaned_data)
