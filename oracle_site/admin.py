"""The site's own pages of the control room."""

import json
from typing import Any

from django.contrib import admin

from monitoring.read_only import ReadOnly
from oracle_site.models import BrokerMessage

admin.site.site_header = admin.site.site_title = "Oracle Chat AI"
admin.site.index_title = "Control room"


@admin.register(BrokerMessage)
class BrokerMessageAdmin(ReadOnly):
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

    @admin.display(description="Task")
    def task(self, message: BrokerMessage) -> str:
        """Name the task that the message calls."""
        headers: dict[str, Any] = json.loads(message.payload).get("headers", {})
        return str(headers.get("task", "—"))
