"""`manage.py rollout simulate`."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.chat import stored
from tests.chat.observed import ended
from tests.flags import ramping
from tests.flags.simulation.short import DAY

pytestmark = pytest.mark.django_db


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _simulate(*arguments: str, **streams: Any) -> str:
    out = io.StringIO()
    call_command("rollout", "simulate", *arguments, stdout=out, **streams)
    return out.getvalue()


def test_it_says_how_often_a_plan_is_wrong_and_how_long_it_takes() -> None:
    ramping.planned(DAY)

    told = json.loads(_simulate("--plan", "day", "--runs", "2", "--json"))

    assert told["runs"] == 2
    assert told["false_rollback_probability"] == 0
    assert [round(days, 1) for days in told["days_per_phase"]] == [0.3, 0.3, 0.3]
    assert len(told["detectable_effect"]) == 3


def test_the_same_seed_says_the_same_in_words_too(tmp_path: Path) -> None:
    ramping.planned(DAY)
    drawn = tmp_path / "ramps.svg"
    given = ("--plan", "day", "--runs", "1", "--harm", "errors=x10@50")

    told, again = (_simulate(*given, "--plot", str(drawn)) for _ in range(2))

    assert told == again
    assert "errors=x10@50" in told
    assert "Harm acted on: 100 % of ramps" in told
    assert "Rolled back falsely: no data." in told
    assert drawn.read_text().startswith("<svg")


def test_progress_is_for_a_terminal_only() -> None:
    ramping.planned(DAY)
    terminal, pipe = _Terminal(), io.StringIO()

    for stream in (terminal, pipe):
        _simulate("--plan", "day", "--runs", "1", "--json", stderr=stream)

    assert "1 of 1 ramps" in terminal.getvalue()
    assert pipe.getvalue() == ""


def test_a_plan_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(CommandError, match="guide@1"):
        _simulate("--plan", "other")


def test_too_little_past_is_said_and_not_made_up() -> None:
    with pytest.raises(CommandError, match="had 0 conversations"):
        _simulate("--past", "7d")


def test_the_past_is_taken_as_it_was() -> None:
    ramping.planned(DAY)
    noon = timezone.now().replace(hour=12, minute=0) - timedelta(days=1)
    for number in range(300):
        ended(
            stored.conversation(),
            noon + timedelta(seconds=number),
            variant="off",
            variant_reason="DISABLED",
            strategy="stateless",
            status="failed" if number < 6 else "complete",
            error_code="GEMINI_API_ERROR" if number < 6 else "",
        )

    told = json.loads(
        _simulate("--plan", "day", "--past", "2d", "--runs", "1", "--json")
    )

    assert told["traffic"] == "past 2d"
    assert told["conversations_per_hour"] == 300 / 24
    assert told["error_ratio"] == pytest.approx(0.02)
    assert "Only 1 of these days had conversations." in told["notes"]
