"""What is switched, how it is set, and every change of it."""

import secrets
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from waffle.models import AbstractUserFlag

from flags import evaluation
from flags.evaluation import Variant
from flags.fields import PercentField
from flags.rollout_models import (
    Approval,
    Decision,
    Drill,
    Hold,
    Rollout,
    RolloutPlan,
    Window,
)

__all__ = [
    "Approval",
    "Change",
    "Decision",
    "Drill",
    "Flag",
    "Hold",
    "Rollout",
    "RolloutPlan",
    "RuntimeSetting",
    "Window",
]


def new_salt() -> str:
    """Return a salt that no other flag has."""
    return secrets.token_hex(8)


class Flag(AbstractUserFlag):
    """A feature and how many get it. `everyone` False: switched off; True: for all.

    Waffle's own dice are thrown per request and kept in a cookie that anybody can
    write; here a subject's bucket decides, and waffle's other ways in (testing, staff,
    groups …) have no effect. `WAFFLE_FLAG_MODEL` can't be changed once
    it is migrated, so this table is the project's own from the first migration.
    """

    percent = PercentField(
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="How many of 100 subjects get it, 0 to 100, with two decimals.",
    )
    superusers = models.BooleanField(default=False)
    salt = models.CharField(
        max_length=32,
        default=new_salt,
        editable=False,
        help_text="Part of every bucket's hash; a new one deals anew.",
    )

    class Meta(AbstractUserFlag.Meta):
        permissions: ClassVar = [
            ("operate", "Can change the rollout and the runtime settings"),
            ("approve", "Can approve what another operator asked for"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100),
                name="flag_percent_0_to_100",
            ),
        ]

    def is_active_for_key(self, targeting_key: str) -> bool:
        """Tell whether a subject gets it."""
        state = evaluation.state(self.name)
        return evaluation.decide(state, targeting_key=targeting_key).is_on

    def is_active_for_user(self, user: Any) -> bool:
        """Tell whether a person gets it; their account is the subject.

        Who has none has no bucket: they get what everybody gets.
        """
        if user is None or user.pk is None:
            state = evaluation.state(self.name)
            return evaluation.decide(state, targeting_key="", held=Variant.OFF).is_on
        return self.is_active_for_key(f"user:{user.pk}")

    def is_active(self, request: HttpRequest, read_only: bool = False) -> bool:  # noqa: FBT001, FBT002 - waffle's own signature
        """Decide for waffle's tags and decorators.

        Cookies, query strings and headers have no say: anybody can write them.
        """
        del read_only
        return self.is_active_for_user(getattr(request, "user", None))


class RuntimeSetting(models.Model):
    """One setting's value, as text. Booleans are waffle switches instead."""

    name = models.CharField(max_length=64, primary_key=True)
    value = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


class History(models.QuerySet["Change"]):
    """The changes; they can be read and added to."""

    def update(self, **kwargs: Any) -> int:
        """Refuse. Raises: TypeError."""
        raise TypeError("A change is never edited: make another one.")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse. Raises: TypeError."""
        raise TypeError("A change is never deleted.")


class Change(models.Model):
    """One value that somebody changed. Never edited, never deleted."""

    class Channel(models.TextChoices):
        ADMIN = "admin"
        COMMAND = "command"
        AUTOMATION = "automation"
        ENVIRONMENT = "environment", "first start"

    name = models.CharField(max_length=64)
    old = models.CharField(max_length=200, help_text="As text; empty: had no value.")
    new = models.CharField(max_length=200)
    actor = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    channel = models.CharField(max_length=16, choices=Channel.choices)
    reason = models.TextField()
    reverts = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = History.as_manager()

    class Meta:
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["name", "-id"], name="change_of_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.old} → {self.new}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it. Raises: TypeError for one that is stored already."""
        if not self._state.adding:
            raise TypeError("A change is never edited: make another one.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse. Raises: TypeError."""
        raise TypeError("A change is never deleted.")
