"""Channels and deliveries in the admin: who is told, what became of each message."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from monitoring import access
from monitoring.channels import kinds, rows, sending, views
from monitoring.models import Channel, Delivery
from monitoring.read_only import Watched


@admin.register(Channel)
class ChannelAdmin(Watched):
    """Who hears of which severity; where a channel leads is in the environment."""

    list_display = (
        "kind",
        "try_it",
        "configured",
        "min_severity",
        "is_enabled",
        "last_success",
        "last_failure",
    )
    fields = ("kind", "configured", "min_severity", "is_enabled")
    readonly_fields = ("kind", "configured")
    ordering = ("pk",)
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
        """Show every kind there is."""
        if access.may_look(request):
            rows.ensure()
        return super().changelist_view(
            request, {"title": "Who is told, and how", **(extra_context or {})}
        )

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Offer a test to those who may send one."""
        hidden = set() if access.may_operate(request) else {"try_it"}
        return tuple(name for name in self.list_display if name not in hidden)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Channel]":
        """Add the newest message that arrived and the newest that did not."""
        own = Delivery.objects.filter(channel=OuterRef("kind")).order_by("-created_at")
        arrived = own.filter(state=Delivery.State.SENT).values("sent_at")
        failed = own.exclude(error="")
        found: QuerySet[Channel] = super().get_queryset(request)
        return found.annotate(
            sent_at=Subquery(arrived[:1]),
            failed_at=Subquery(failed.values("created_at")[:1]),
            error=Subquery(failed.values("error")[:1]),
        )

    @admin.display(description="Configured")
    def configured(self, channel: Channel) -> str:
        """Say where it leads, or what is missing."""
        kind = kinds.find(channel.kind)
        if kind.missing:
            return f"No: set {' and '.join(kind.missing)}"
        return f"Yes: {kind.where()}"

    @admin.display(description="Last success", empty_value="none")
    def last_success(self, channel: Any) -> Any:
        """Say when a message last arrived."""
        return channel.sent_at

    @admin.display(description="Last failure", empty_value="none")
    def last_failure(self, channel: Any) -> str | None:
        """Say which message did not arrive, and why."""
        if channel.failed_at is None:
            return None
        return f"{channel.failed_at:%Y-%m-%d %H:%M} UTC: {channel.error}"

    @admin.display(description="Test")
    def try_it(self, channel: Channel) -> str:
        """Lead to the page that sends a message now."""
        if not kinds.find(channel.kind).is_configured:
            return "—"
        return format_html(
            '<a href="{}">Send test…</a>',
            reverse("admin:monitoring_channel_test", args=[channel.kind]),
        )


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
