"""What the dashboard says can be read aloud."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.models import CheckResult, Point
from tests.flags.pages import words


def test_one_task_is_one_task(db: None, show: Callable[..., Any]) -> None:
    at = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=2)
    for name, high in (("queue_waiting", 1), ("answers_running", 3)):
        Point.objects.create(
            step_s=60, begin=at, name=name, count=1, total=high, low=0, high=high
        )

    told = words(show())

    assert "At most 1 task waiting and 3 answers under way." in told
    assert "No use of memory is noted of this time: no data." in told


def test_a_check_is_named_in_words(db: None, show: Callable[..., Any]) -> None:
    CheckResult.objects.create(
        name="database_write", status="degraded", sentence="It is busy.", took_ms=1
    )

    assert "database write is degraded: It is busy." in words(show())
