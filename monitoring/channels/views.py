"""The page that sends a test message."""

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from monitoring import access
from monitoring.channels import kinds, trial
from monitoring.channels.message import NotSent


@access.operating
def test(request: HttpRequest, *, kind: str) -> HttpResponse:
    """Ask, then send a test to a channel and say what became of it."""
    try:
        chosen = kinds.find(kind)
    except kinds.UnknownChannel as error:
        raise Http404 from error
    if request.method != "POST":
        return _ask(request, chosen)
    try:
        said = trial.run(kind, actor=request.user.get_username())
    except (NotSent, kinds.NotConfigured) as error:
        messages.error(request, f"The test did not arrive. {error}")
    else:
        messages.success(request, f"The test was sent. {said}")
    return redirect("admin:monitoring_channel_changelist")


def _ask(request: HttpRequest, kind: kinds.Kind) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": f"Send a test to {kind.name}",
        "page": "channels",
        "kind": kind,
    }
    return render(request, "monitoring/channel_test.html", context)
