"""What the dashboard says can be read aloud."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.dashboard import headline, ranges
from monitoring.dashboard.points import Points
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


def test_a_peak_is_in_the_picture_that_it_is_told_beside(
    db: None, show: Callable[..., Any]
) -> None:
    at = timezone.now().replace(second=0, microsecond=0) - timedelta(hours=2)
    begin = at.replace(minute=0)
    Point.objects.create(
        step_s=3600, begin=begin, name="answers_running", count=60, total=9, high=7
    )

    page = show(range="24h")

    assert "At most 7 answers under way." in words(page)
    panel = page.content.decode().split('id="panel-queue"')[1].split("</article>")[0]
    assert "<td>7</td>" in panel


def test_what_was_last_is_said_so(db: None, show: Callable[..., Any]) -> None:
    at = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=2)
    for name, value in (
        ("sessions_live", 1),
        ("sessions_maximum", 500),
        ("rollout_percent", 40),
    ):
        Point.objects.create(
            step_s=60, begin=at, name=name, count=1, total=value, low=0, high=value
        )

    told = words(show())

    assert "1 live session most recently, of at most 500" in told
    assert "of the new conversations, most recently." in told


def test_a_check_is_named_in_words(db: None, show: Callable[..., Any]) -> None:
    CheckResult.objects.create(
        name="database_write", status="degraded", sentence="It is busy.", took_ms=1
    )

    assert "database write is degraded: It is busy." in words(show())


def test_a_minute_that_is_not_over_is_no_fall(db: None) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    for ago, count in ((3, 100), (2, 100), (1, 100), (0, 1)):
        Point.objects.create(
            step_s=60,
            begin=now - timedelta(minutes=ago),
            name="turns",
            count=count,
            total=count,
            low=1,
            high=1,
        )

    turns, *_ = headline.of(Points(ranges.window(ranges.HOUR, now)))

    [line] = re.findall(r' d="([^"]+)"', str(turns.picture))
    heights = re.findall(r"[ML][\d.]+ ([\d.]+)", line)
    assert len(heights) == 3
    assert len(set(heights)) == 1
