"""What is remembered: who talks, what was said, and how each answer was made."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chat.rating_models import Rating
from chat.session_models import LiveSession, StoredInteraction, VariantChange
from flags.evaluation import Variant

__all__ = [
    "ApiToken",
    "Conversation",
    "Generation",
    "LiveSession",
    "Message",
    "Owner",
    "RateBucket",
    "Rating",
    "StoredInteraction",
    "VariantChange",
]

VARIANTS = [(each.value, each.value) for each in Variant]


class Owner(models.Model):
    """Whoever conversations belong to: a user, a visitor, or the host itself."""

    class Kind(models.TextChoices):
        USER = "user"
        VISITOR = "visitor"
        LOCAL = "local", "this host"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE
    )
    conversation_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="user", user__isnull=False)
                | (~Q(kind="user") & Q(user__isnull=True)),
                name="owner_user_matches_kind",
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=Q(kind="local"), name="owner_one_local"
            ),
        ]

    def __str__(self) -> str:
        return self.user.get_username() if self.user else f"{self.kind} {self.pk}"


class ApiToken(models.Model):
    """A bearer token, stored as its SHA-256 only."""

    class Scope(models.TextChoices):
        CHAT = "chat", "read and write conversations"
        READ = "read", "read conversations"
        MONITORING = "monitoring", "read the monitoring endpoints"

    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, help_text="Shown to tell tokens apart.")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256, hex.")
    scope = models.CharField(max_length=16, choices=Scope.choices, default=Scope.CHAT)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"


class Conversation(models.Model):
    """One thread of messages; the API calls it a session."""

    owner = models.ForeignKey(
        Owner, on_delete=models.CASCADE, related_name="conversations"
    )
    title = models.CharField(max_length=200)
    title_is_by_user = models.BooleanField(default=False)
    model = models.CharField(max_length=100)
    personality = models.CharField(max_length=32, default="default")
    variant = models.CharField(
        max_length=8,
        choices=VARIANTS,
        blank=True,
        help_text="on: persistent sessions; off: stateless; empty: not decided yet.",
    )
    metadata = models.JSONField(default=dict, blank=True)
    message_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now, help_text="Last activity.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["owner", "-updated_at", "-id"], name="conv_newest"),
            models.Index(fields=["updated_at"], name="conv_active"),
        ]

    def __str__(self) -> str:
        return self.title


class Message(models.Model):
    """What one side said; an answer grows while it streams."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    class Status(models.TextChoices):
        PENDING = "pending"
        STREAMING = "streaming"
        COMPLETE = "complete"
        STOPPED = "stopped"
        INTERRUPTED = "interrupted"
        BLOCKED = "blocked"
        FAILED = "failed"

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages"
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text="The message that this one answers.",
    )
    role = models.CharField(max_length=16, choices=Role.choices)
    content = models.TextField(blank=True)
    status = models.CharField(max_length=16, choices=Status.choices)
    is_superseded = models.BooleanField(
        default=False, help_text="A newer attempt stands in its place."
    )
    client_key = models.CharField(max_length=200, null=True, blank=True)
    signatures = models.JSONField(
        default=list, blank=True, help_text="The model's signed parts, verbatim."
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["conversation", "id"], name="message_order"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversation", "client_key"], name="message_key_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"

    @property
    def can_be_retried(self) -> bool:
        """Whether this answer did not come to a good end."""
        return self.status in {
            self.Status.FAILED,
            self.Status.STOPPED,
            self.Status.INTERRUPTED,
            self.Status.BLOCKED,
        }

    @property
    def can_be_continued(self) -> bool:
        """Whether this answer has text that the model may go on from."""
        broken = {self.Status.STOPPED, self.Status.INTERRUPTED}
        return bool(self.content) and self.status in broken

    @property
    def can_be_rated(self) -> bool:
        """Whether this answer has ended with something to read."""
        growing = {self.Status.PENDING, self.Status.STREAMING}
        return bool(self.content) and self.status not in growing


class Generation(models.Model):
    """One attempt at an answer: who makes it, how far it is, and what it cost.

    A number that the model did not report is None, never 0.
    """

    class Status(models.TextChoices):
        RUNNING = "running"
        COMPLETE = "complete"
        STOPPED = "stopped"
        INTERRUPTED = "interrupted"
        BLOCKED = "blocked"
        FAILED = "failed"

    class Strategy(models.TextChoices):
        STATELESS = "stateless"
        HISTORY = "history"
        INTERACTIONS = "interactions"

    class SessionOutcome(models.TextChoices):
        CREATED = "created"
        HIT = "hit"
        TOPPED_UP = "topped_up"
        RECOVERED = "recovered"
        STATELESS = "stateless", "fell back to stateless"

    class SessionNote(models.TextChoices):
        CLOSED = "closed"
        MODEL_CHANGED = "model_changed"
        STRATEGY_CHANGED = "strategy_changed"
        TOO_STALE = "too_stale"
        TOO_LONG = "too_long"
        FORGOTTEN = "forgotten"
        UNSUPPORTED = "unsupported"
        REJECTED = "rejected"
        RECOVERY_DISABLED = "recovery_disabled"
        RECOVERY_TIMEOUT = "recovery_timeout"
        RECOVERY_FAILED = "recovery_failed"

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="generations"
    )
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="generations"
    )
    status = models.CharField(
        max_length=16, choices=Status.choices, default=Status.RUNNING
    )
    process = models.CharField(
        max_length=200, help_text="host:boot:pid:start of the process that makes it."
    )
    heartbeat_at = models.DateTimeField(default=timezone.now)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    strategy = models.CharField(max_length=16, choices=Strategy.choices)
    variant = models.CharField(max_length=8, choices=VARIANTS, blank=True)
    variant_reason = models.CharField(
        max_length=24, blank=True, help_text="Why, in OpenFeature's words."
    )
    session_outcome = models.CharField(
        max_length=16, choices=SessionOutcome.choices, blank=True
    )
    session_note = models.CharField(
        max_length=24, blank=True, help_text="Why there was no live session to use."
    )
    session_ms = models.FloatField(
        null=True, blank=True, help_text="How long it took until it could be used."
    )
    model = models.CharField(max_length=100)
    model_version = models.CharField(max_length=100, blank=True)
    finish_reason = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_reason = models.CharField(max_length=40, blank=True)
    error_detail = models.TextField(blank=True)
    retry_after_s = models.FloatField(null=True, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    cached_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    thoughts_tokens = models.PositiveIntegerField(null=True, blank=True)
    time_to_first_token_ms = models.FloatField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="generation_time"),
            models.Index(
                fields=["heartbeat_at"],
                condition=Q(status="running"),
                name="generation_running",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status="running"),
                name="generation_one_running",
            ),
        ]

    def __str__(self) -> str:
        return f"generation {self.pk} ({self.status})"


class RateBucket(models.Model):
    """A token bucket: what is left of an allowance, and when it was last filled."""

    key = models.CharField(max_length=120, primary_key=True)
    tokens = models.FloatField()
    filled_at = models.FloatField(help_text="Unix seconds.")

    def __str__(self) -> str:
        return self.key
