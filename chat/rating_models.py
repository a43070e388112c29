"""What people think of answers; `chat.models` gathers all tables."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class Rating(models.Model):
    """One word on one answer; who says something else moves it to that moment."""

    message = models.OneToOneField(
        "chat.Message", on_delete=models.CASCADE, primary_key=True
    )
    is_good = models.BooleanField()
    rated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["rated_at"], name="rating_time")]

    def __str__(self) -> str:
        return f"{self.message_id}: {'good' if self.is_good else 'bad'}"
