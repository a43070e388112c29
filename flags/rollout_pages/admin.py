"""The rollout's place in the admin: pages of our own in the place of the stock ones."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path

from flags import access
from flags.models import Rollout
from flags.rollout_pages import (
    order_views,
    plan_views,
    record_views,
    start_views,
    views,
)
from monitoring.read_only import ReadOnly

_ONE = "<int:rollout_id>"
_PLAN = "plans/<slug:name>/<int:version>"


@admin.register(Rollout)
class RolloutAdmin(ReadOnly):
    """Attempts to bring a flag to everybody, moved by their ticks and by orders."""

    def has_view_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        """Let in whoever may see the control page."""
        del obj
        return access.may_look(request)

    def get_urls(self) -> list[URLPattern]:
        """Put our pages before the stock ones."""
        pages: list[tuple[str, Any, str]] = [
            ("", views.show_rollouts, "rollouts"),
            ("newest/", views.show_rollout, "rollout"),
            ("start/", start_views.start, "rollout_start"),
            ("plans/", plan_views.show_plans, "rollout_plans"),
            (f"{_PLAN}/", plan_views.show_plan, "rollout_plan"),
            (f"{_PLAN}/new/", plan_views.new_version, "rollout_plan_new"),
            (f"{_ONE}/", views.show_rollout, "rollout_attempt"),
            (f"{_ONE}/order/<slug:verb>/", order_views.order, "rollout_order"),
            (f"{_ONE}/decisions/", record_views.show_history, "rollout_decisions"),
            (
                f"{_ONE}/decisions/<int:number>/",
                record_views.show_decision,
                "rollout_decision",
            ),
        ]
        ours = [
            path(route, self.admin_site.admin_view(view), name=f"flags_{name}")
            for route, view, name in pages
        ]
        # These guard themselves: the admin's guard takes no async view.
        asides = [
            path(
                f"{_ONE}/decisions.{kind}",
                record_views.export,
                {"kind": kind},
                name=f"flags_rollout_{kind}",
            )
            for kind in ("json", "csv")
        ]
        asides += [
            path(f"{_ONE}/check/", record_views.check, name="flags_rollout_check"),
            path(
                f"{_PLAN}/measure/",
                plan_views.measure,
                name="flags_rollout_plan_measure",
            ),
        ]
        return [*ours, *asides, *super().get_urls()]
