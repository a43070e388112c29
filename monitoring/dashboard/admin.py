"""The dashboard's place in the admin, beside the health checks' results."""

from django.contrib import admin
from django.urls import URLPattern, path

from monitoring import access, aside_pages
from monitoring.dashboard import pages
from monitoring.models import CheckResult
from monitoring.read_only import ReadOnly


@admin.register(CheckResult)
class CheckResultAdmin(ReadOnly):
    """What each health check found, the newest first."""

    list_display = ("at", "name", "status", "sentence", "took_ms")
    ordering = ("-at",)
    show_facets = admin.ShowFacets.NEVER

    def get_urls(self) -> list[URLPattern]:
        """Put the dashboard before the stock pages."""
        view = aside_pages.page(self.admin_site, pages.dashboard, may=access.may_look)
        ours = [path("dashboard/", view, name="monitoring_dashboard")]
        return [*ours, *super().get_urls()]
