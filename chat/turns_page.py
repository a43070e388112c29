"""The admin's list of the turns behind a figure."""

from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from chat import turns_list
from chat.turns_list import BadWish, Listed
from monitoring.drilldown import TurnsWanted

_DATE = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True, slots=True)
class _Choice:
    """A field with a few values to choose from."""

    name: str
    label: str
    values: list[str]
    chosen: str


def show(request: HttpRequest) -> HttpResponse:
    """List the turns that the address asks for; never what was said in them."""
    given, error = request.GET.dict(), ""
    listed: Listed | None = None
    what: TurnsWanted | None = None
    try:
        what = turns_list.wanted(given, timezone.now())
        listed = turns_list.listed(what, given)
    except BadWish as wrong:
        error = str(wrong)
    context = {
        **admin.site.each_context(request),
        "title": "Turns",
        "page": "turns",
        "error": error,
        "listed": listed,
        "begin": f"{what.begin:{_DATE}}" if what else "",
        "end": f"{what.end:{_DATE}}" if what else "",
        "given": given,
        "choices": _choices(given),
    }
    return render(request, "chat/turns.html", context, status=400 if error else 200)


def _choices(given: dict[str, str]) -> list[_Choice]:
    labels = {"variant": "Variant", "status": "Ended", "outcome": "Session"}
    return [
        _Choice(name, label, turns_list.CHOICES[name], given.get(name, ""))
        for name, label in labels.items()
    ]
