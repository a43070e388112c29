"""`manage.py report`: what a period was like, from a shell."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from monitoring.models import Report
from monitoring.reporting import periods, storing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded")]


def _said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("report", *arguments)
    return capsys.readouterr().out


@pytest.mark.parametrize("period", periods.PERIODS)
def test_it_tells_of_the_last_period_that_is_over(
    capsys: pytest.CaptureFixture[str], period: str
) -> None:
    now = timezone.now()

    said = json.loads(_said(capsys, "--period", period, "--format", "json"))

    assert said["period"] == period
    assert said["begin"] in {
        f"{periods.last(period, at).begin:%Y-%m-%dT%H:%M:%SZ}"
        for at in (now, timezone.now())
    }
    assert not Report.objects.exists()


def test_it_is_markdown_unless_asked_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = _said(capsys, "--begin", "2026-01-05T00:00Z")

    assert said.startswith("# Day: 2026-01-05 (UTC)\n\n*Only 0 of 1440 minutes were")
    assert "- There is no data to judge by.\n" in said
    assert "| Turns | no data | no data | no data |\n" in said


def test_it_keeps_what_it_computed_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--period", "hour", "--begin", "2026-01-05T07:00Z")

    said = _said(capsys, *arguments, "--store")

    assert Report.objects.get().period == "hour"
    assert _said(capsys, *arguments) == said


def test_a_stored_one_is_told_as_it_is_unless_refreshed(
    capsys: pytest.CaptureFixture[str], recorded: Callable[[datetime], None]
) -> None:
    window = periods.parsed("day", "2026-01-05", timezone.now())
    recorded(window.end - timedelta(minutes=1))
    stored = storing.store(window, window.end + timedelta(minutes=1))
    recorded(window.end)
    assert not stored.body["is_settled"]
    arguments = ("--begin", "2026-01-05", "--format", "json")

    same = json.loads(_said(capsys, *arguments))
    anew = json.loads(_said(capsys, *arguments, "--refresh"))
    assert (same["is_settled"], anew["is_settled"]) == (False, True)
    assert not Report.objects.get().body["is_settled"]

    _said(capsys, *arguments, "--refresh", "--store")
    assert Report.objects.get().body["is_settled"]


@pytest.mark.parametrize(
    ("begin", "words"),
    [
        ("soon", "is no time"),
        ("2999-01-01", "in the future"),
        ("2026-01-05T00:30", "begins at midnight"),
    ],
)
def test_a_period_that_is_none_is_refused_with_2(begin: str, words: str) -> None:
    with pytest.raises(CommandError, match=words) as refused:
        call_command("report", "--begin", begin)

    assert refused.value.returncode == 2


def test_a_day_that_is_not_over_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()  # midnight may come meanwhile
    clock = SimpleNamespace(now=lambda: now)
    monkeypatch.setattr("monitoring.management.commands.report.timezone", clock)
    today = f"{now:%Y-%m-%d}"

    with pytest.raises(CommandError, match="newest that is over"):
        call_command("report", "--begin", today)


def test_without_a_table_it_says_so_with_1() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE monitoring_report")

    with pytest.raises(CommandError, match="The database does not answer") as failed:
        call_command("report")

    assert failed.value.returncode == 1
