"""The reports' place in the admin."""

from django.contrib import admin

from monitoring.models import Report
from monitoring.read_only import Watched
from monitoring.reporting import pages

_ONE = "<int:report_id>"


@admin.register(Report)
class ReportAdmin(Watched):
    """What periods were like: pages of our own in the place of the stock ones."""

    pages = (
        ("", pages.show_reports, "reports"),
        (f"{_ONE}/", pages.show_report, "report"),
        (f"{_ONE}/report.md", pages.download_markdown, "report_markdown"),
        (f"{_ONE}/report.json", pages.download_json, "report_json"),
    )
