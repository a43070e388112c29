"""Flags and their changes for operators: to look at; the control page changes them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path

from flags import access, views
from flags.models import Change, Flag
from flags.rollout_pages.admin import RolloutAdmin
from monitoring.read_only import ReadOnly

__all__ = ["ChangeAdmin", "FlagAdmin", "RolloutAdmin"]


class Recorded(ReadOnly):
    """Rows that only `flags.changes` writes, each time with a record of it."""

    def has_view_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        """Let in whoever may see the control page."""
        del obj
        return access.may_look(request)


@admin.register(Flag)
class FlagAdmin(Recorded):
    """The flag as waffle keeps it, and the control page's addresses."""

    list_display = ("name", "state", "percent", "modified")
    fields = ("name", "everyone", "percent", "salt", "note", "created", "modified")

    @admin.display(description="State")
    def state(self, flag: Flag) -> str:
        """Say in a word what waffle's three values of `everyone` mean here."""
        return {None: "on", True: "on for everybody", False: "off"}[flag.everyone]

    def get_urls(self) -> list[URLPattern]:
        """Put the control page before the stock ones."""
        pages = [
            ("control/", views.show_control, "control"),
            ("control/percent/", views.ask_percent, "ask_percent"),
            ("control/settings/", views.ask_settings, "ask_settings"),
            ("control/confirm/", views.confirm, "confirm"),
            ("control/kill/", views.kill, "kill"),
            ("control/history/", views.show_history, "history"),
            ("control/history/<int:change_id>/revert/", views.revert, "revert"),
            ("control/export/", views.export, "export"),
            ("control/import/", views.import_document, "import"),
        ]
        ours = [
            path(route, self.admin_site.admin_view(view), name=f"flags_{name}")
            for route, view, name in pages
        ]
        return [*ours, *super().get_urls()]


@admin.register(Change)
class ChangeAdmin(Recorded):
    """Every change, with all its columns."""

    list_display = (
        "created_at",
        "name",
        "old",
        "new",
        "actor",
        "channel",
        "reason",
        "reverts",
    )
    list_filter = ("channel", "name")
    list_select_related = ("user", "reverts")
    ordering = ("-id",)
