"""The site's own pages of the control room."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from oracle_site.models import BrokerMessage

admin.site.site_header = admin.site.site_title = "Oracle Chat AI"
admin.site.index_title = "Control room"


@admin.register(BrokerMessage)
class BrokerMessageAdmin(admin.ModelAdmin):
    """What waits, runs or was given up in the embedded queue: to look at only."""

    list_display = (
        "id",
        "task",
        "queue",
        "created_at",
        "owner",
        "delivery_count",
        "buried_at",
        "buried_because",
    )
    list_filter = ("queue", ("buried_at", admin.EmptyFieldListFilter))
    ordering = ("-id",)
    show_full_result_count = False

    @admin.display(description="Task")
    def task(self, message: BrokerMessage) -> str:
        """Name the task that the message calls."""
        headers: dict[str, Any] = json.loads(message.payload).get("headers", {})
        return str(headers.get("task", "—"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only code queues tasks."""
        del request
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: BrokerMessage | None = None
    ) -> bool:
        """Nobody edits a message."""
        del request, obj
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: BrokerMessage | None = None
    ) -> bool:
        """Nothing is taken from a worker's hands."""
        del request, obj
        return False
