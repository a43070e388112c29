"""Conversations for operators: to look at, not to edit."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone

from chat import turns_page
from chat.models import (
    ApiToken,
    Conversation,
    Generation,
    LiveSession,
    Owner,
    StoredInteraction,
    VariantChange,
)
from monitoring import aside_pages
from monitoring.read_only import ReadOnly


@admin.register(Conversation)
class ConversationAdmin(ReadOnly):
    """Whose conversation, how long, how recent; the words stay private."""

    list_display = (
        "id",
        "owner",
        "model",
        "personality",
        "variant",
        "message_count",
        "updated_at",
    )
    list_filter = ("variant", "model", "personality")
    list_select_related = ("owner__user",)
    fields = list_display


@admin.register(Generation)
class GenerationAdmin(ReadOnly):
    """Each attempt at an answer, with its figures."""

    list_display = (
        "id",
        "status",
        "error_reason",
        "model",
        "variant",
        "strategy",
        "session_outcome",
        "prompt_tokens",
        "cached_tokens",
        "output_tokens",
        "time_to_first_token_ms",
        "duration_ms",
        "created_at",
    )
    # Only what has choices: the values of another column are looked up in all rows.
    list_filter = ("status", "variant", "strategy", "session_outcome")
    exclude = ("conversation", "message")

    def get_urls(self) -> list[URLPattern]:
        """Put the list of the turns behind a figure before the stock pages."""
        view = aside_pages.page(
            self.admin_site, turns_page.show, may=self.has_view_permission
        )
        return [path("turns/", view, name="chat_turns"), *super().get_urls()]


@admin.register(LiveSession)
class LiveSessionAdmin(ReadOnly):
    """Which sessions live in which process; `manage.py sessions` closes them."""

    list_display = (
        "conversation_id",
        "strategy",
        "message_count",
        "size_bytes",
        "created_at",
        "used_at",
        "process",
    )
    ordering = ("-used_at",)
    exclude = ("conversation",)


@admin.register(VariantChange)
class VariantChangeAdmin(ReadOnly):
    """Conversations that got another variant in mid-life, and why."""

    list_display = ("conversation_id", "old", "new", "reason", "created_at")
    ordering = ("-id",)
    exclude = ("conversation",)


@admin.register(StoredInteraction)
class StoredInteractionAdmin(ReadOnly):
    """What the provider keeps; rows without a conversation are being deleted there."""

    list_display = (
        "interaction_id",
        "conversation_id",
        "model",
        "is_whole",
        "created_at",
    )
    list_filter = (("conversation", admin.EmptyFieldListFilter),)
    ordering = ("-id",)
    exclude = ("conversation", "message")


@admin.register(Owner)
class OwnerAdmin(ReadOnly):
    """Who conversations belong to."""

    list_display = ("id", "kind", "user", "conversation_count", "created_at")
    list_filter = ("kind",)
    list_select_related = ("user",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    """Tokens can be revoked here; `manage.py api_token` makes them."""

    list_display = (
        "prefix",
        "name",
        "owner",
        "scope",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    exclude = ("digest",)
    list_select_related = ("owner__user",)
    actions = ["revoke"]

    @admin.action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        """End them now; calls that bring one are refused from the next on."""
        count = tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
        messages.success(request, f"Revoked {count} token(s).")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to change tokens."""
        return bool(request.user.has_perm("chat.change_apitoken"))
