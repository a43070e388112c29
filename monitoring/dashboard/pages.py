"""The dashboard's page."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring import checkups, drilldown
from monitoring.alerting import rules
from monitoring.dashboard import (
    checks,
    headline,
    latency,
    machine,
    present,
    ranges,
    sessions,
    spending,
    traffic,
)
from monitoring.dashboard.links import Links
from monitoring.dashboard.panel import Panel
from monitoring.dashboard.points import Points
from monitoring.dashboard.present import Present


@dataclass(frozen=True, slots=True)
class Section:
    """Panels that belong together."""

    title: str
    panels: list[Panel]


def dashboard(request: HttpRequest) -> HttpResponse:
    """Show how it is, and how it was over `?range=`."""
    now, asked = timezone.now(), request.GET.get("range", "")
    chosen = ranges.find(asked)
    points = Points(ranges.window(chosen or ranges.HOUR, now))
    links = Links(points.window, may_see_turns=_may_see_turns(request))
    current = present.read(now)
    context = {
        **admin.site.each_context(request),
        "title": "Dashboard",
        "page": "dashboard",
        "unknown_range": asked if chosen is None else "",
        "ranges": ranges.RANGES.values(),
        "window": points.window,
        "recorded_at": points.recorded_at,
        "is_silent": _is_silent(points),
        "present": current,
        "figures": headline.of(points),
        "sections": [*_sections(points, links, current)],
    }
    status = 200 if chosen else 400
    return render(request, "monitoring/dashboard.html", context, status=status)


def _sections(points: Points, links: Links, current: Present) -> Iterator[Section]:
    thresholds = rules.thresholds()
    yield Section(
        "Traffic and errors",
        [
            traffic.turns(points, links),
            traffic.error_share(points, links, thresholds),
            traffic.requests(points, links),
            traffic.error_codes(points, links),
        ],
    )
    yield Section(
        "How long people wait",
        [
            latency.answers(points, links, thresholds),
            latency.first_texts(points, links),
            latency.variants(points, links),
            machine.queue(points, links),
        ],
    )
    yield Section(
        "Sessions, tokens and cost",
        [
            sessions.hits(points, links, thresholds),
            sessions.pool(points, links),
            spending.tokens(points, links),
            spending.cost(points, links),
        ],
    )
    yield Section(
        "Health, rollout and machine",
        [
            checks.panel(points, current.results),
            sessions.rollout(points, links),
            machine.memory(points, links, thresholds),
            machine.disk(points, links),
        ],
    )


def _is_silent(points: Points) -> bool:
    """Tell whether nothing was noted lately, so that gaps are not about the traffic."""
    noted_at = points.recorded_at
    return noted_at is None or points.window.now - noted_at > checkups.FRESH_FOR / 3


def _may_see_turns(request: HttpRequest) -> bool:
    page = drilldown.page()
    return page is not None and request.user.has_perm(page.permission)
