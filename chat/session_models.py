"""What is remembered of persistent sessions; `chat.models` gathers all tables."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class VariantChange(models.Model):
    """A conversation that got another variant in mid-life."""

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="variant_changes"
    )
    old = models.CharField(max_length=8)
    new = models.CharField(max_length=8)
    reason = models.CharField(max_length=24)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="variantchange_time"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}: {self.old} → {self.new}"


class LiveSession(models.Model):
    """A Gemini session that a process keeps in memory.

    The row is what allows it: a session whose row is gone is never used again, so that
    deleting rows closes sessions in every process.
    """

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="live_sessions"
    )
    process = models.CharField(
        max_length=200, help_text="host:boot:pid:start of the process that keeps it."
    )
    strategy = models.CharField(max_length=16)
    version = models.PositiveBigIntegerField(
        help_text="The id of the last message it includes."
    )
    message_count = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["used_at"], name="livesession_oldest"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["process", "conversation"], name="livesession_once"
            ),
        ]

    def __str__(self) -> str:
        return f"session of conversation {self.conversation_id}"


class StoredInteraction(models.Model):
    """A conversation's state that the provider keeps, up to one of its answers.

    It outlives its conversation until the provider has deleted it, too.
    """

    interaction_id = models.CharField(max_length=200, unique=True)
    conversation = models.ForeignKey(
        "chat.Conversation",
        null=True,
        on_delete=models.SET_NULL,
        related_name="stored_interactions",
    )
    message = models.ForeignKey("chat.Message", null=True, on_delete=models.SET_NULL)
    model = models.CharField(max_length=100)
    is_whole = models.BooleanField(
        default=False, help_text="Whether its answer came to a good end."
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["conversation", "-id"], name="interaction_newest"),
        ]

    def __str__(self) -> str:
        return self.interaction_id
