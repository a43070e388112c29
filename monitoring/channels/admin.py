"""Channels and deliveries in the admin: who is told, what became of each message."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from monitoring import access
from monitoring.channels import kinds, rows, sending, views
from monitoring.models import Channel, Delivery, Severity
from monitoring.read_only import Watched


class _Every(ChangeList):
    """Every kind there is, whether or not it has a row yet."""

    def get_results(self, request: HttpRequest) -> None:
        """Take those that have none, too."""
        super().get_results(request)
        self.result_list = rows.every()
        self.result_count = self.full_result_count = len(self.result_list)

    def url_for_result(self, result: Any) -> str:
        """Lead to it by what it always has."""
        return reverse("admin:monitoring_channel_change", args=[result.kind])


class ChannelForm(forms.ModelForm):
    """From which severity on a channel is told."""

    class Meta:
        model = Channel
        fields = ("min_severity", "is_enabled")
        labels = {"min_severity": "Told from this severity on", "is_enabled": "Is told"}


@admin.register(Channel)
class ChannelAdmin(Watched):
    """Who hears of which severity; where a channel leads is in the environment."""

    form = ChannelForm
    list_display = (
        "kind",
        "try_it",
        "configured",
        "hears_of",
        "last_success",
        "last_failure",
    )
    fields = ("kind", "configured", "min_severity", "is_enabled")
    readonly_fields = ("kind", "configured")
    sortable_by = ()
    pages = (("<slug:kind>/test/", views.test, "channel_test"),)

    def has_change_permission(
        self, request: HttpRequest, obj: Any | None = None
    ) -> bool:
        """Let those change it who were given the right."""
        del obj
        return request.user.has_perm("monitoring.change_channel")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Name the page for what it shows."""
        return super().changelist_view(
            request, {"title": "Who is told, and how", **(extra_context or {})}
        )

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Offer a test to those who may send one."""
        hidden = set() if access.may_operate(request) else {"try_it"}
        return tuple(name for name in self.list_display if name not in hidden)

    def get_changelist(self, request: HttpRequest, **given: Any) -> type[ChangeList]:
        """List them all."""
        del request, given
        return _Every

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Channel | None:
        """Find it by its kind, too: it may have no row yet."""
        named = [row for row in rows.every() if row.kind == object_id]
        return named[0] if named else super().get_object(request, object_id, from_field)

    def save_model(
        self, request: HttpRequest, obj: Channel, form: Any, change: Any
    ) -> None:
        """Make its row, or change it; somebody else may have made it meanwhile."""
        del request, form, change
        chosen = {"min_severity": obj.min_severity, "is_enabled": obj.is_enabled}
        row, _ = Channel.objects.update_or_create(kind=obj.kind, defaults=chosen)
        obj.pk = row.pk

    @admin.display(description="Configured")
    def configured(self, channel: Channel) -> str:
        """Say where it leads, or what is missing."""
        kind = kinds.find(channel.kind)
        if kind.missing:
            return f"No: set {' and '.join(kind.missing)}"
        return f"Yes: {kind.where()}"

    @admin.display(description="Is told of")
    def hears_of(self, channel: Channel) -> str:
        """Say which messages go there, or why none do."""
        if not channel.is_enabled:
            return "nothing: it is switched off"
        found = Severity.values[Severity.values.index(channel.min_severity) :]
        end = ", once it is set up" if kinds.find(channel.kind).missing else ""
        return ", ".join(found) + end

    @admin.display(description="Last success", empty_value="none")
    def last_success(self, channel: Channel) -> str | None:
        """Say when a message last arrived."""
        sent = _newest(channel).filter(state=Delivery.State.SENT)
        at = sent.values_list("sent_at", flat=True).first()
        return f"{at:%Y-%m-%d %H:%M} UTC" if at else None

    @admin.display(description="Last failure", empty_value="none")
    def last_failure(self, channel: Channel) -> str | None:
        """Say which message did not arrive, and why."""
        failed = _newest(channel).exclude(error="").first()
        if failed is None:
            return None
        return f"{failed.created_at:%Y-%m-%d %H:%M} UTC: {failed.error}"

    @admin.display(description="Test")
    def try_it(self, channel: Channel) -> str:
        """Lead to the page that sends a message now."""
        if not kinds.find(channel.kind).is_configured:
            return "—"
        return format_html(
            '<a href="{}">Send test…</a>',
            reverse("admin:monitoring_channel_test", args=[channel.kind]),
        )


def _newest(channel: Channel) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(channel=channel.kind).order_by("-created_at")


@admin.register(Delivery)
class DeliveryAdmin(Watched):
    """What was sent, waits to be sent, or was given up."""

    list_display = ("created_at", "channel", "outcome", "subject")
    list_filter = ("state", "channel", "severity")
    ordering = ("-id",)
    actions = ("try_again",)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Tell whether somebody may use the actions that change something."""
        return access.may_operate(request)

    @admin.display(description="Outcome", ordering="state")
    def outcome(self, delivery: Delivery) -> str:
        """Say how far it came, and what stood in its way."""
        count = delivery.attempt_count
        tries = f", tried {count} {'time' if count == 1 else 'times'}" if count else ""
        trouble = f": {delivery.error}" if delivery.error else ""
        return f"{delivery.get_state_display()}{tries}{trouble}"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Name the page for what it shows."""
        return super().changelist_view(
            request, {"title": "Messages sent or waiting", **(extra_context or {})}
        )

    @admin.action(description="Try again what was given up", permissions=["operate"])
    def try_again(
        self, request: HttpRequest, deliveries: "QuerySet[Delivery]"
    ) -> HttpResponse | None:
        """Let the chosen ones be sent by the next run."""
        pks = list(deliveries.values_list("pk", flat=True))
        count = sending.try_again(pks, timezone.now())
        others = len(pks) - count
        words = f"{count} will be tried again within seconds."
        if others:
            words += f" {others} had not been given up and stay as they are."
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, words, level)
        return None
