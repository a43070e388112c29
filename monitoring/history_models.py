"""What monitoring remembers of the past, in small: points, health checks, reports."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class Point(models.Model):
    """What one series was in one minute or hour, over all processes.

    `label` tells the parts of a series apart, such as its variants. `sketch` has the
    single values' distribution, where percentiles are of interest.
    """

    class Step(models.IntegerChoices):
        MINUTE = 60
        HOUR = 3600

    step_s = models.PositiveIntegerField(choices=Step.choices)
    begin = models.DateTimeField()
    name = models.CharField(max_length=64)
    label = models.CharField(max_length=64, blank=True)
    count = models.PositiveBigIntegerField()
    total = models.FloatField(help_text="The sum of the single values.")
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    sketch = models.JSONField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["step_s", "begin", "name", "label"], name="point_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["name", "step_s", "begin"], name="point_of_series"),
        ]

    def __str__(self) -> str:
        return f"{self.name}{{{self.label}}} {self.begin:%Y-%m-%d %H:%M}"


class CheckResult(models.Model):
    """What a health check found, when it was last run by the schedule."""

    name = models.CharField(max_length=64)
    status = models.CharField(max_length=16)
    sentence = models.CharField(max_length=300)
    took_ms = models.FloatField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["name", "-at"], name="checkresult_newest"),
            models.Index(fields=["at"], name="checkresult_time"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"


class Report(models.Model):
    """The figures of a period beside those of the period before it."""

    class Period(models.TextChoices):
        QUARTER = "quarter", "quarter of an hour"
        HOUR = "hour"
        DAY = "day"

    period = models.CharField(max_length=8, choices=Period.choices)
    begin = models.DateTimeField()
    end = models.DateTimeField()
    body = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["period", "begin"], name="report_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_period_display()} from {self.begin:%Y-%m-%d %H:%M}"
