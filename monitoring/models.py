"""What monitoring keeps."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from monitoring.alert_models import (
    Alert,
    AlertRule,
    Channel,
    Delivery,
    Severity,
    Silence,
    Watch,
)
from monitoring.history_models import CheckResult, Point, Report
from monitoring.incident_models import Incident, IncidentEntry

__all__ = [
    "Alert",
    "AlertRule",
    "Channel",
    "CheckResult",
    "Delivery",
    "Incident",
    "IncidentEntry",
    "JobRun",
    "Lease",
    "Point",
    "Report",
    "Sample",
    "Severity",
    "Silence",
    "Total",
    "Watch",
]


class Total(models.Model):
    """A running total over all processes; of a series, its name has the labels."""

    name = models.TextField(primary_key=True)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class Sample(models.Model):
    """One measurement of something that has no row of its own; kept for two days."""

    name = models.CharField(max_length=64)
    value = models.FloatField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["name", "at"], name="sample_of_name"),
            models.Index(fields=["at"], name="sample_time"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class JobRun(models.Model):
    """One run of a background job. Its slot is the period it stands for."""

    class Outcome(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    name = models.CharField(max_length=64)
    slot = models.CharField(max_length=64)
    holder = models.CharField(
        max_length=200, help_text="host:boot:pid:start of the process that runs it."
    )
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(
        max_length=16, choices=Outcome.choices, default=Outcome.RUNNING
    )
    detail = models.CharField(
        max_length=200, blank=True, help_text="What it did, or the error's kind."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "slot"], name="jobrun_slot_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["name", "-started_at"], name="jobrun_newest"),
            models.Index(fields=["started_at"], name="jobrun_time"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.slot} ({self.outcome})"


class Lease(models.Model):
    """Something that one process at a time may do, and which one does it now."""

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=200)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"
