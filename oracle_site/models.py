"""The embedded queue's rows."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class BrokerMessage(models.Model):
    """A task that waits, runs (it has an owner), or was given up (it is buried)."""

    queue = models.CharField(max_length=200)
    payload = models.TextField(help_text="The message as the queue protocol has it.")
    owner = models.CharField(
        max_length=220,
        blank=True,
        help_text="host:boot:pid:start#connection that has it; empty while it waits.",
    )
    leased_until = models.DateTimeField(null=True, blank=True)
    delivery_count = models.PositiveSmallIntegerField(
        default=0, help_text="How often a worker got it and did not finish it."
    )
    created_at = models.DateTimeField(default=timezone.now)
    buried_at = models.DateTimeField(null=True, blank=True)
    buried_because = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "queued task"
        indexes: ClassVar = [
            models.Index(
                fields=["queue", "id"],
                condition=Q(owner="", buried_at=None),
                name="brokermessage_ready",
            ),
            models.Index(
                fields=["owner"], condition=~Q(owner=""), name="brokermessage_owned"
            ),
            models.Index(
                fields=["buried_at"],
                condition=Q(buried_at__isnull=False),
                name="brokermessage_buried",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.queue} {self.pk}"


class BrokerBinding(models.Model):
    """Which queue gets what is sent to an exchange. One with an owner ends with it."""

    exchange = models.CharField(max_length=200)
    routing_key = models.CharField(max_length=200, blank=True)
    pattern = models.CharField(max_length=400, blank=True)
    queue = models.CharField(max_length=200)
    owner = models.CharField(max_length=220, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["exchange", "routing_key", "queue"], name="brokerbinding_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.exchange} → {self.queue}"
