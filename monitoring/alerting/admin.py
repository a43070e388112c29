"""Alerts and their rules in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest
from django.utils import timezone

from monitoring.alerting import defaults, engine, rules, views, wording
from monitoring.alerting.forms import RuleForm
from monitoring.models import Alert, AlertRule
from monitoring.read_only import Watched

_ONE = "<int:alert_id>"


@admin.register(Alert)
class AlertAdmin(Watched):
    """What is or was wrong: pages of our own in the place of the stock ones."""

    pages = (
        ("", views.show_alerts, "alerts"),
        ("silences/", views.show_silences, "silences"),
        ("silences/new/", views.silence_any, "silence_any"),
        ("silences/<int:silence_id>/end/", views.end_silence, "silence_end"),
        (f"{_ONE}/", views.show_alert, "alert"),
        (f"{_ONE}/acknowledge/", views.acknowledge, "alert_acknowledge"),
        (f"{_ONE}/resolve/", views.resolve, "alert_resolve"),
        (f"{_ONE}/silence/", views.silence, "alert_silence"),
    )


@admin.register(AlertRule)
class AlertRuleAdmin(admin.ModelAdmin):
    """When to worry: held against what can be watched, every edit recorded."""

    form = RuleForm
    list_display = ("name", "condition", "window", "severity", "is_watched", "metric")
    list_filter = ("severity", "is_enabled")
    search_fields = ("name", "metric", "summary")
    fieldsets = (
        (None, {"fields": ("name", "summary", "severity", "is_enabled", "switch")}),
        ("What is watched", {"fields": ("metric", "label", "min_samples")}),
        ("Over how long", {"fields": ("window_s", "short_window_s")}),
        ("When", {"fields": ("comparison", "threshold", "clear_threshold")}),
        ("For how long", {"fields": ("for_s", "keep_firing_s", "repeat_s")}),
        (None, {"fields": ("runbook",)}),
    )

    @admin.display(description="Fires")
    def condition(self, rule: AlertRule) -> str:
        """Say when it fires, with the unit."""
        return wording.condition(rule)

    @admin.display(description="Over")
    def window(self, rule: AlertRule) -> str:
        """Say what it looks at."""
        return wording.window(rule)

    @admin.display(description="Watched")
    def is_watched(self, rule: AlertRule) -> str:
        """Say whether it is watched, and why not."""
        if rules.is_broken(rule):
            return "broken: nobody offers its metric in this release"
        if not rule.is_enabled:
            return "no"
        return "yes" if rules.is_watched(rule) else f"no: {rule.switch} is off"

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any | None = None
    ) -> tuple[str, ...]:
        """Keep the name: open alerts and silences go by it."""
        del request
        return ("name",) if obj else ()

    def has_delete_permission(
        self, request: HttpRequest, obj: Any | None = None
    ) -> bool:
        """Keep the default rules: they would come back. They can be switched off."""
        if obj is not None and obj.name in defaults.NAMES:
            return False
        return super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """End its alerts with it."""
        engine.abandon([obj], timezone.now())
        super().delete_model(request, obj)

    def delete_queryset(
        self, request: HttpRequest, queryset: "QuerySet[AlertRule]"
    ) -> None:
        """End their alerts with them."""
        engine.abandon(queryset, timezone.now())
        super().delete_queryset(request, queryset)

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Form,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 - Django's own signature
    ) -> Any:
        """Record what was there before, too."""
        if add or not form.changed_data:
            return super().construct_change_message(request, form, formsets, add)
        steps = [
            f"{name}: {_shown(form.initial.get(name))} → "
            f"{_shown(form.cleaned_data.get(name))}"
            for name in form.changed_data
        ]
        return "; ".join(steps)


def _shown(value: object) -> str:
    return "empty" if value in {None, ""} else str(value)
