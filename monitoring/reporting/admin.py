"""The reports' place in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path

from monitoring import access
from monitoring.models import Report
from monitoring.read_only import ReadOnly
from monitoring.reporting import pages

_ONE = "<int:report_id>"


@admin.register(Report)
class ReportAdmin(ReadOnly):
    """What periods were like: pages of our own in the place of the stock ones."""

    def has_view_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        """Let in whoever may see monitoring."""
        del obj
        return access.may_look(request)

    def get_urls(self) -> list[URLPattern]:
        """Put our pages before the stock ones."""
        ours = [
            ("", pages.show_reports, "reports"),
            (f"{_ONE}/", pages.show_report, "report"),
            (f"{_ONE}/report.md", pages.download_markdown, "report_markdown"),
            (f"{_ONE}/report.json", pages.download_json, "report_json"),
        ]
        wrapped = [
            path(route, self.admin_site.admin_view(view), name=f"monitoring_{name}")
            for route, view, name in ours
        ]
        return [*wrapped, *super().get_urls()]
