"""What went wrong so much that people work on it together."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from monitoring.alert_models import Alert, Severity


class Incident(models.Model):
    """From the first sign of trouble to its end; an alert or a person opens it."""

    class Status(models.TextChoices):
        INVESTIGATING = "investigating"
        IDENTIFIED = "identified"
        MONITORING = "monitoring"
        RESOLVED = "resolved"

    title = models.CharField(max_length=200)
    severity = models.CharField(
        max_length=8, choices=Severity.choices, default=Severity.CRITICAL
    )
    status = models.CharField(
        max_length=16, choices=Status.choices, default=Status.INVESTIGATING
    )
    impact = models.TextField(blank=True, help_text="What people notice of it.")
    alert = models.ForeignKey(
        Alert, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    opened_by = models.CharField(max_length=150, help_text="A person, or the alert.")
    started_at = models.DateTimeField(help_text="When the trouble began.")
    detected_at = models.DateTimeField(
        default=timezone.now, help_text="When we first knew."
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    next_update_at = models.DateTimeField(
        null=True, blank=True, help_text="When people were promised to hear more."
    )
    commander = models.CharField("incident commander", max_length=150, blank=True)
    technical_lead = models.CharField(max_length=150, blank=True)
    operations = models.CharField(max_length=150, blank=True)
    communications = models.CharField(max_length=150, blank=True)
    is_public = models.BooleanField(
        default=False, help_text="Whether the status page shows it."
    )
    public_title = models.CharField(
        max_length=200, blank=True, help_text="Its title on the status page."
    )

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="resolved", resolved_at__isnull=False)
                | (~Q(status="resolved") & Q(resolved_at__isnull=True)),
                name="incident_resolved_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-detected_at"], name="incident_newest"),
            models.Index(fields=["resolved_at"], name="incident_resolved"),
        ]

    def __str__(self) -> str:
        return self.title


class IncidentEntry(models.Model):
    """What people did or said while it lasted; never edited, never deleted."""

    class Kind(models.TextChoices):
        ALERT = "alert"
        NOTE = "note"
        STATUS = "status", "status change"
        MESSAGE = "message", "message sent"

    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, related_name="entries"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.NOTE)
    text = models.TextField()
    actor = models.CharField(max_length=150)
    is_public = models.BooleanField(default=False)
    alert = models.ForeignKey(
        Alert, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        ordering: ClassVar = ["at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["alert"],
                condition=Q(alert__isnull=False),
                name="incident_of_alert_once",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]
