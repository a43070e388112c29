"""The page that sends a test message."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from monitoring import access, staff_pages
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
        title = f"Send a test to {chosen.name}"
        context = {"kind": chosen}
        return staff_pages.page(
            request, "channel_test", title, context, place="channels"
        )
    try:
        said = trial.run(kind, actor=staff_pages.actor(request))
    except (NotSent, kinds.NotConfigured) as error:
        messages.error(request, f"The test did not arrive. {error}")
    else:
        messages.success(request, f"The test was sent. {said}")
    return redirect("admin:monitoring_channel_changelist")
