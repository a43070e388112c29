"""The alert pages in the admin: look, acknowledge, silence, resolve."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from monitoring import access, staff_pages
from monitoring.alerting import current, pages, silences, steps
from monitoring.alerting.forms import SilenceAlertForm, SilenceAnyForm
from monitoring.alerting.silences import Target
from monitoring.errors import MonitoringError, UnknownAlert
from monitoring.models import Alert
from monitoring.staff_pages import actor

_page = partial(staff_pages.page, place="alerts")

# --- Look ----------------------------------------------------------------------------


@access.looking
def show_alerts(request: HttpRequest) -> HttpResponse:
    """List what is wrong now, then what was."""
    number = request.GET.get("page", "")
    now = timezone.now()
    if blindness := current.blindness(now):
        messages.warning(request, blindness)
    context = pages.overview(number=number, now=now)
    return _page(request, "alerts", "Alerts", context)


@access.looking
def show_alert(request: HttpRequest, *, alert_id: int) -> HttpResponse:
    """Show one and, for operators, what can be done."""
    alert = _found(alert_id)
    context = pages.one(alert, now=timezone.now())
    return _page(request, "alert", f"Alert {alert}", context)


@access.looking
def show_silences(request: HttpRequest) -> HttpResponse:
    """List the silences that hold, then the past ones."""
    number = request.GET.get("page", "")
    context = pages.silenced(number=number, now=timezone.now())
    return _page(request, "silences", "Silences", context)


# --- Act -----------------------------------------------------------------------------


@access.operating
def acknowledge(request: HttpRequest, *, alert_id: int) -> HttpResponse:
    """Say that somebody is at it."""
    alert = _found(alert_id)

    def act() -> None:
        steps.acknowledge(alert, actor=actor(request), now=timezone.now())

    done = "Acknowledged: nobody is told of it again until it is over."
    return _do(request, alert, act, done)


@access.operating
def resolve(request: HttpRequest, *, alert_id: int) -> HttpResponse:
    """Ask once more, then end what no rule will end."""
    alert = _found(alert_id)
    if request.method != "POST" and steps.may_resolve(alert):
        return _page(request, "alert_resolve", f"Resolve {alert}?", {"alert": alert})

    def act() -> None:
        steps.resolve(alert, actor=actor(request), now=timezone.now())

    return _do(request, alert, act, "Resolved by hand.")


@access.operating
def silence(request: HttpRequest, *, alert_id: int) -> HttpResponse:
    """Tell nobody of one alert for a while."""
    alert = _found(alert_id)
    form = SilenceAlertForm(request.POST or None, label=alert.label)
    if form.is_valid():
        is_for_all = form.cleaned_data.get("is_for_all", False)
        target = Target(name=alert.name, label="" if is_for_all else alert.label)
        if _silence(request, form, target):
            return redirect("admin:monitoring_alert", alert_id=alert.pk)
    context = {"form": form, "alert": alert}
    return _page(request, "silence", f"Silence {alert}", context)


@access.operating
def silence_any(request: HttpRequest) -> HttpResponse:
    """Tell nobody of every alert of a name, or of any alert, for a while."""
    form = SilenceAnyForm(request.POST or None)
    if form.is_valid() and _silence(request, form, form.target()):
        return redirect("admin:monitoring_silences")
    return _page(request, "silence", "Silence alerts", {"form": form})


@access.operating
def end_silence(request: HttpRequest, *, silence_id: int) -> HttpResponse:
    """End a silence early."""
    if request.method == "POST":
        try:
            silences.end(silence_id, actor=actor(request), now=timezone.now())
        except MonitoringError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "The silence has ended: people are told again.")
    return redirect("admin:monitoring_silences")


def _silence(
    request: HttpRequest, form: SilenceAlertForm | SilenceAnyForm, target: Target
) -> bool:
    """Create it; what is wrong is said in the form."""
    now = timezone.now()
    try:
        made = silences.create(
            target,
            ends_at=form.end(now),
            reason=form.cleaned_data["reason"],
            actor=actor(request),
            now=now,
        )
    except MonitoringError as error:
        form.add_error(None, str(error))
        return False
    until = f"{made.ends_at:%Y-%m-%d %H:%M} UTC"
    messages.success(request, f"Silenced until {until}. It is watched all the same.")
    return True


def _do(
    request: HttpRequest, alert: Alert, act: Callable[[], None], done: str
) -> HttpResponse:
    """Act, record it and go back to the alert; whoever only comes by sees it."""
    if request.method == "POST":
        try:
            act()
        except MonitoringError as error:
            messages.error(request, str(error))
        else:
            _record(request, alert, done)
            messages.success(request, done)
    return redirect("admin:monitoring_alert", alert_id=alert.pk)


def _record(request: HttpRequest, alert: Alert, words: str) -> None:
    LogEntry.objects.log_actions(
        user_id=str(request.user.pk),
        queryset=[alert],
        action_flag=CHANGE,
        change_message=words,
        single_object=True,
    )


def _found(alert_id: int) -> Alert:
    try:
        return steps.find(alert_id)
    except UnknownAlert as error:
        raise Http404(str(error)) from error
