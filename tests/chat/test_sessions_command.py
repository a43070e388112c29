"""`manage.py sessions`: look at the live sessions of all processes, close some."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chat.models import LiveSession
from tests.chat import stored
from tests.chat.stored import ELSEWHERE
from tests.servers import ROOT

pytestmark = pytest.mark.django_db

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def rows() -> list[LiveSession]:
    """Four sessions in two processes, the least recently used first."""
    stored.put(MAX_PERSISTENT_SESSIONS=80)
    stored.roll_out(100)
    return [
        stored.registered(
            idle_s=4000 - number, size_bytes=1024, process=ELSEWHERE.format(number % 2)
        )
        for number in range(4)
    ]


def _left() -> list[LiveSession]:
    return list(LiveSession.objects.order_by("used_at"))


def test_stats_say_in_words_how_many_there_are(
    rows: list[LiveSession], capsys: Printed
) -> None:
    call_command("sessions", "stats")

    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "4 live sessions of at most 80 (5 %), in 2 process(es)."
    assert second == "Size on the wire: 4,096 bytes."
    assert third.startswith("Oldest: 4,00")
    assert _left() == rows


def test_stats_say_that_there_are_none(capsys: Printed) -> None:
    call_command("sessions", "stats")

    assert capsys.readouterr().out == "No live sessions (at most 500).\n"


def test_stats_can_be_read_by_programs(
    rows: list[LiveSession], capsys: Printed
) -> None:
    call_command("sessions", "stats", "--json")

    stats = json.loads(capsys.readouterr().out)
    ages = {stats.pop("oldest_age_s"), stats.pop("longest_idle_s")}
    assert stats == {
        "count": len(rows),
        "maximum": 80,
        "process_count": 2,
        "size_bytes": 4096,
    }
    assert all(4000 <= age < 4060 for age in ages)


def test_programs_are_told_null_where_there_is_no_age(capsys: Printed) -> None:
    call_command("sessions", "stats", "--json")

    stats = json.loads(capsys.readouterr().out)
    assert stats["count"] == 0
    assert stats["oldest_age_s"] is None
    assert stats["longest_idle_s"] is None


def test_the_oldest_can_be_closed(rows: list[LiveSession], capsys: Printed) -> None:
    call_command("sessions", "evict", "--oldest", "3")

    assert _left() == rows[3:]
    assert capsys.readouterr().out == "Closed 3 session(s); 1 left.\n"


def test_those_of_one_conversation_can_be_closed(
    rows: list[LiveSession], capsys: Printed
) -> None:
    number = rows[1].conversation_id

    call_command("sessions", "evict", "--conversation", str(number))

    assert _left() == [rows[0], *rows[2:]]
    assert capsys.readouterr().out == "Closed 1 session(s); 3 left.\n"


def test_all_can_be_closed(rows: list[LiveSession], capsys: Printed) -> None:
    call_command("sessions", "evict", "--all")

    assert _left() == []
    assert capsys.readouterr().out == f"Closed {len(rows)} session(s); 0 left.\n"


@pytest.mark.parametrize(
    ("which", "closed"), [("oldest", 2), ("conversation", 1), ("all", 4)]
)
def test_a_dry_run_says_what_it_would_close_and_changes_nothing(
    rows: list[LiveSession], capsys: Printed, which: str, closed: int
) -> None:
    values = {"oldest": "2", "conversation": str(rows[0].conversation_id)}
    option = [f"--{which}", *([values[which]] if which in values else [])]

    call_command("sessions", "evict", *option, "--dry-run")

    assert _left() == rows
    assert stored.totals() == {}
    left = 4 - closed
    assert capsys.readouterr().out == f"Would close {closed} session(s); {left} left.\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--oldest", "0"], "--oldest must be 1 or more, not 0"),
        (["--oldest", "-3"], "--oldest must be 1 or more, not -3"),
        (["--oldest", "some"], "invalid int value"),
        (["--conversation", "999999"], "There is no conversation 999999"),
        (["--all", "--oldest", "1"], "not allowed with argument"),
        ([], "one of the arguments --oldest --conversation --all is required"),
    ],
)
def test_what_makes_no_sense_is_refused_and_closes_nothing(
    rows: list[LiveSession], options: list[str], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("sessions", "evict", *options)

    assert _left() == rows


def test_without_an_action_it_says_which_there_are() -> None:
    with pytest.raises(CommandError, match="action"):
        call_command("sessions")


@pytest.mark.parametrize(
    ("settings", "closed"),
    [
        ({"PERSISTENT_SESSION_TIMEOUT": 3600}, 4),
        ({"PERSISTENT_SESSION_TIMEOUT": 7200}, 0),
        ({"PERSISTENT_SESSION_TIMEOUT": 7200, "USE_PERSISTENT_SESSIONS": False}, 4),
    ],
)
@pytest.mark.usefixtures("rows")
def test_a_cleanup_can_be_made_at_once(
    capsys: Printed, settings: dict[str, Any], closed: int
) -> None:
    stored.put(**settings)

    call_command("sessions", "cleanup")

    left = 4 - closed
    assert capsys.readouterr().out == f"Closed {closed} session(s); {left} left.\n"
    assert len(_left()) == left


def test_without_its_tables_it_says_so(tmp_path: Path) -> None:
    env = os.environ | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "",
    }

    refused = subprocess.run(
        [sys.executable, "manage.py", "sessions", "stats"],
        cwd=ROOT,
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )

    assert refused.returncode == 1
    assert "CommandError: The database can't be used" in refused.stderr
