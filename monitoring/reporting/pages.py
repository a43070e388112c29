"""The kept reports as pages: a list, one of them, and its files."""

import json
from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from monitoring import access, staff_pages
from monitoring.models import Report
from monitoring.reporting import text, wording
from monitoring.reporting.periods import DAY, PERIODS
from monitoring.wording import NO_DATA

_page = partial(staff_pages.page, place="reports")
_A_PAGE = 50
_IN_LIST = ("turns", "error_ratio", "turn_ms_p95", "session_hit_ratio", "cost_usd")
_PERIODS = {period: f"{wording.title(period)}s" for period in PERIODS} | {
    "quarter": "Quarters of an hour"
}


@access.looking
def show_reports(request: HttpRequest) -> HttpResponse:
    """List those of one kind of period, the newest first."""
    wanted = request.GET.get("period", DAY)
    period = wanted if wanted in PERIODS else DAY
    rows = Report.objects.filter(period=period).order_by("-begin")
    listed = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    context = {
        "listed": listed,
        "entries": [_entry(report) for report in listed],
        "period": period,
        "periods": _PERIODS,
        "no_data": NO_DATA,
    }
    return _page(request, "reports", "Reports", context)


@access.looking
def show_report(request: HttpRequest, *, report_id: int) -> HttpResponse:
    """Show one as tables."""
    report = get_object_or_404(Report, pk=report_id)
    same = Report.objects.filter(period=report.period)
    context = {
        "report": report,
        "remarks": text.remarks(report.body),
        "advice": text.advice(report.body),
        "sections": [
            {"title": section["title"], "rows": list(text.rows(section))}
            for section in report.body["sections"]
        ],
        "no_data": NO_DATA,
        "older": same.filter(begin__lt=report.begin).order_by("-begin").first(),
        "newer": same.filter(begin__gt=report.begin).order_by("begin").first(),
    }
    title = text.title(report.body)
    return _page(request, "report", title, context)


@access.looking
def download_markdown(request: HttpRequest, *, report_id: int) -> HttpResponse:
    """Send one as Markdown."""
    del request
    report = get_object_or_404(Report, pk=report_id)
    words = text.markdown(report.body)
    return _file(report, words, "text/markdown; charset=utf-8", "md")


@access.looking
def download_json(request: HttpRequest, *, report_id: int) -> HttpResponse:
    """Send one as JSON."""
    del request
    report = get_object_or_404(Report, pk=report_id)
    words = json.dumps(report.body, indent=2, ensure_ascii=False)
    return _file(report, words, "application/json", "json")


def _entry(report: Report) -> dict[str, Any]:
    """Return a report's line of the list."""
    shown = {
        figure["key"]: wording.shown(figure["value"], figure["unit"])
        for section in report.body["sections"]
        for figure in section["figures"]
    }
    return {
        "report": report,
        "figures": {key: shown.get(key, NO_DATA) for key in _IN_LIST},
        "advice_count": len(report.body["advice"]),
        "is_settled": report.body["is_settled"],
    }


def _file(report: Report, words: str, kind: str, ending: str) -> HttpResponse:
    name = f"report-{report.period}-{report.begin:%Y-%m-%d-%H%M}.{ending}"
    return HttpResponse(
        words,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
