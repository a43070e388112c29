"""What a rollout keeps: its state, what was counted, and every decision."""

import json
from typing import Any, ClassVar

from django.apps import apps
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from flags.fields import PercentField


class Compact(json.JSONEncoder):
    """Write JSON without blanks: there are very many decisions."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"separators": (",", ":")})


class AppendOnly(models.QuerySet[Any]):
    """Rows that can be read and added to."""

    def update(self, **kwargs: Any) -> int:
        """Refuse. Raises: TypeError."""
        raise TypeError(f"A {self.model.__name__} is never edited.")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse. Raises: TypeError."""
        raise TypeError(f"A {self.model.__name__} is never deleted.")


class Record(models.Model):
    """A row that is added once and stays as it is."""

    objects = AppendOnly.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it. Raises: TypeError for one that is stored already."""
        if not self._state.adding:
            raise TypeError(f"A {type(self).__name__} is never edited.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse. Raises: TypeError."""
        raise TypeError(f"A {type(self).__name__} is never deleted.")


class RolloutPlan(Record):
    """One version of a plan (`flags.plans.Plan`)."""

    name = models.SlugField(max_length=64)
    version = models.PositiveIntegerField()
    body = models.JSONField()
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name", "version"], name="plan_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def newest_change_id() -> int:
    """Return which change of a setting is the newest now; 0: there is none."""
    newest = apps.get_model("flags", "Change").objects.order_by("-id")
    return newest.values_list("id", flat=True).first() or 0


class Rollout(models.Model):
    """One attempt to bring a flag to everybody by a plan.

    `version` grows with every change of the row: who changes it must have seen the
    newest. `evidence` is what the gates know after the window that ended at
    `counted_until`, as JSON.
    """

    class State(models.TextChoices):
        ARMED = "armed"
        RAMPING = "ramping"
        HELD = "held"
        PAUSED = "paused"
        ROLLING_BACK = "rolling_back", "rolling back"
        ROLLED_BACK = "rolled_back", "rolled back"
        COMPLETED = "completed"

    flag = models.CharField(max_length=100)
    plan = models.ForeignKey(RolloutPlan, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=State.choices, default=State.ARMED)
    phase_index = models.PositiveIntegerField(default=0)
    percent = PercentField(default=0)
    version = models.PositiveIntegerField(default=0)
    started_by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    after_change_id = models.PositiveBigIntegerField(
        default=newest_change_id, help_text="The newest change when it was made."
    )
    created_at = models.DateTimeField(default=timezone.now)
    starts_at = models.DateTimeField(default=timezone.now)
    state_since = models.DateTimeField(default=timezone.now)
    phase_since = models.DateTimeField(null=True, blank=True)
    halved_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ticked_at = models.DateTimeField(null=True, blank=True)
    counted_until = models.DateTimeField(null=True, blank=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["flag"],
                condition=Q(ended_at__isnull=True),
                name="rollout_one_active",
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100),
                name="rollout_percent_0_to_100",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flag}, attempt {self.pk} ({self.get_state_display()})"


class Window(Record):
    """What was counted of one arm in one window of a rollout.

    Late facts are a further row that `corrects`, never a change of this one. A
    conversation counts once a day in each kind of event, where it first happened.
    """

    rollout = models.ForeignKey(
        Rollout, on_delete=models.PROTECT, related_name="windows"
    )
    begin = models.DateTimeField()
    end = models.DateTimeField()
    variant = models.CharField(max_length=8)
    phase_index = models.PositiveIntegerField()
    percent = PercentField()
    is_correction = models.BooleanField(default=False)
    assigned_count = models.IntegerField(default=0)
    conversation_count = models.IntegerField(default=0)
    turn_count = models.IntegerField(default=0)
    persistent_count = models.IntegerField(default=0)
    error_count = models.IntegerField(default=0)
    slow_count = models.IntegerField(default=0)
    blank_count = models.IntegerField(default=0)
    costly_count = models.IntegerField(default=0)
    rated_count = models.IntegerField(default=0)
    disliked_count = models.IntegerField(default=0)
    error_past_count = models.IntegerField(default=0)
    slow_past_count = models.IntegerField(default=0)
    blank_past_count = models.IntegerField(default=0)
    costly_past_count = models.IntegerField(default=0)
    disliked_past_count = models.IntegerField(default=0)
    hit_count = models.IntegerField(default=0)
    lookup_count = models.IntegerField(default=0)
    log_tokens_sum = models.FloatField(default=0)
    log_tokens_squares = models.FloatField(default=0)
    log_latency_sum = models.FloatField(default=0)
    log_latency_squares = models.FloatField(default=0)
    log_count = models.IntegerField(default=0)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rollout", "begin", "variant"],
                condition=Q(is_correction=False),
                name="window_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["rollout", "begin"], name="window_of_rollout"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} {self.begin:%Y-%m-%d %H:%M:%S}"


class Decision(Record):
    """What was decided, by whom, from which inputs; each holds the last one's hash."""

    rollout = models.ForeignKey(
        Rollout, on_delete=models.PROTECT, related_name="decisions"
    )
    number = models.PositiveIntegerField(help_text="1 for the rollout's first.")
    at = models.DateTimeField()
    action = models.CharField(max_length=24)
    actor = models.CharField(max_length=150)
    channel = models.CharField(max_length=16)
    reason = models.TextField(blank=True)
    sentence = models.TextField()
    state_before = models.CharField(max_length=16)
    state_after = models.CharField(max_length=16)
    percent_before = PercentField()
    percent_after = PercentField()
    phase_index = models.PositiveIntegerField()
    inputs = models.JSONField(default=dict, encoder=Compact)
    readings = models.JSONField(default=list, encoder=Compact)
    release = models.CharField(max_length=40)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rollout", "number"], name="decision_number_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["rollout", "-at"], name="decision_newest"),
            # Few of very many: what changed something, and who has decided at all.
            models.Index(fields=["rollout", "action"], name="decision_by_action"),
            models.Index(fields=["rollout", "actor"], name="decision_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.action}"


class Hold(models.Model):
    """Stay where it is until somebody lets go, or until a moment."""

    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="holds")
    reason = models.TextField()
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=150, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.reason[:60]


class Approval(models.Model):
    """A second person's word that a phase may begin."""

    rollout = models.ForeignKey(
        Rollout, on_delete=models.CASCADE, related_name="approvals"
    )
    phase_index = models.PositiveIntegerField()
    requested_by = models.CharField(max_length=150)
    requested_at = models.DateTimeField(default=timezone.now)
    approved_by = models.CharField(max_length=150, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(approved_by=F("requested_by")),
                name="approval_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"phase {self.phase_index + 1}"


class Drill(models.Model):
    """A fault put into the treatment on purpose, and whether it was rolled back."""

    fault = models.CharField(max_length=40)
    created_by = models.CharField(max_length=150)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    is_green = models.BooleanField(null=True)
    seconds = models.FloatField(
        null=True, help_text="From the fault to the last persistent turn."
    )
    detail = models.JSONField(default=dict)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.fault} at {self.started_at:%Y-%m-%d %H:%M}"
