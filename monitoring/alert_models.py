"""When to worry, what we worry about now, and who was told."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Severity(models.TextChoices):
    """How much it matters, from little to much."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertRule(models.Model):
    """A metric over a window, and the threshold beyond which somebody is told."""

    class Comparison(models.TextChoices):
        ABOVE = "above"
        BELOW = "below"

    name = models.SlugField(max_length=64, unique=True)
    summary = models.CharField(max_length=200, help_text="One sentence for people.")
    metric = models.CharField(max_length=64)
    label = models.CharField(
        max_length=64, blank=True, help_text="Only this part of the metric; empty: all."
    )
    window_s = models.PositiveIntegerField(help_text="Seconds that are looked at.")
    short_window_s = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Seconds of a second, shorter window that must be beyond, too.",
    )
    comparison = models.CharField(
        max_length=8, choices=Comparison.choices, default=Comparison.ABOVE
    )
    threshold = models.FloatField(help_text="In the metric's unit.")
    clear_threshold = models.FloatField(
        null=True,
        blank=True,
        help_text="Where it counts as over; empty: at the threshold.",
    )
    min_samples = models.PositiveIntegerField(
        default=0, help_text="Fewer than these are no data."
    )
    for_s = models.PositiveIntegerField(
        default=0, help_text="Seconds it must last before it fires."
    )
    keep_firing_s = models.PositiveIntegerField(
        default=0, help_text="Seconds it must be fine before it is over."
    )
    repeat_s = models.PositiveIntegerField(
        default=14_400, help_text="Seconds until people are told again; 0: never."
    )
    severity = models.CharField(
        max_length=8, choices=Severity.choices, default=Severity.WARNING
    )
    switch = models.CharField(
        max_length=64, blank=True, help_text="The setting that switches it off."
    )
    runbook = models.CharField(max_length=100, blank=True)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Hold it against what can be watched. Raises: ValidationError."""
        from monitoring.alerting import validation

        if problems := validation.problems(self):
            raise ValidationError(dict(problems))


class Alert(models.Model):
    """Something that is or was wrong: one row from its first sign to its end.

    Without a rule it was raised by hand or by another part of the service.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        FIRING = "firing"
        RESOLVED = "resolved"

    rule = models.ForeignKey(
        AlertRule, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=64)
    label = models.CharField(max_length=64, blank=True)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    summary = models.TextField()
    runbook = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=8, choices=State.choices)
    value = models.FloatField(null=True, help_text="The metric's newest value.")
    event_count = models.PositiveIntegerField(
        default=1, help_text="How often it was raised; of a rule always 1."
    )
    began_at = models.DateTimeField(default=timezone.now)
    fired_at = models.DateTimeField(null=True, blank=True)
    fine_since = models.DateTimeField(null=True, blank=True)
    frozen_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when its metric has no data."
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)
    end_notified_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("operate", "Can acknowledge, silence and work on incidents"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name", "label"],
                condition=Q(resolved_at__isnull=True),
                name="alert_open_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-began_at"], name="alert_newest"),
            models.Index(fields=["resolved_at"], name="alert_resolved"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.label}".strip()


class Silence(models.Model):
    """Tell nobody about these alerts until then; they are watched all the same."""

    name = models.CharField(
        max_length=64, blank=True, help_text="The alert's name; empty: every alert."
    )
    label = models.CharField(
        max_length=64, blank=True, help_text="Its label; empty: whichever."
    )
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    reason = models.TextField()
    created_by = models.CharField(max_length=150)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="silence_ends_later"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["ends_at"], name="silence_end")]

    def __str__(self) -> str:
        return f"{self.name or 'every alert'} until {self.ends_at:%Y-%m-%d %H:%M}"


class Channel(models.Model):
    """A way to reach people; where it leads is in the environment."""

    class Kind(models.TextChoices):
        LOG = "log"
        EMAIL = "email"
        SLACK = "slack"
        WEBHOOK = "webhook"
        APPRISE = "apprise"

    kind = models.CharField(max_length=8, choices=Kind.choices, unique=True)
    min_severity = models.CharField(
        max_length=8, choices=Severity.choices, default=Severity.WARNING
    )
    is_enabled = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.get_kind_display()


class Delivery(models.Model):
    """One message to one channel, kept until it has arrived or was given up."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed", "given up"

    channel = models.CharField(max_length=8, choices=Channel.Kind.choices)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    payload = models.JSONField(default=dict, help_text="For programs, as JSON.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempt_count = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=Q(state="waiting"),
                name="delivery_waiting",
            ),
            models.Index(fields=["-created_at"], name="delivery_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.subject}"


class Watch(models.Model):
    """When the rules were last held against their metrics; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    evaluated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"evaluated at {self.evaluated_at}"
