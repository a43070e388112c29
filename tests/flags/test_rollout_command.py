"""`manage.py rollout`: widen, shrink, kill, look."""

import getpass
import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from flags import changes
from flags.conf import FLAG, PERCENT, USE
from flags.models import Change, Flag, RuntimeSetting
from tests.chat import stored
from tests.flags.commands import refusal, run, run_json
from tests.flags.operators import ALICE
from tests.servers import ROOT

pytestmark = pytest.mark.django_db
_WHY = ("--reason", "First step.")


def test_a_percent_is_told_as_old_and_new_and_what_it_means() -> None:
    told = run("rollout", "percent", "10", *_WHY)

    assert told.splitlines() == [
        "USE_PERSISTENT_SESSIONS: false → true",
        "GRADUAL_ROLLOUT_PERCENTAGE: 0 % → 10 %",
        "New conversations only: about 10 % of those that begin from now on. Those "
        "that run without stay stateless until it is 100 %.",
    ]
    assert (USE.get(), PERCENT.get()) == (True, Decimal(10))


def test_the_history_names_the_user_of_the_operating_system() -> None:
    run("rollout", "percent", "10", *_WHY)

    last = changes.latest(PERCENT.name)
    assert last is not None
    assert (last.actor, last.channel) == (getpass.getuser(), "command")
    assert last.reason == "First step."


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 987_654)

    run("rollout", "percent", "10", *_WHY)

    last = changes.latest(PERCENT.name)
    assert last is not None
    assert last.actor == "uid 987654"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("10", "50", "New conversations only"),
        (
            "50",
            "25",
            "Conversations above 25 % go back to stateless at their next turn",
        ),
        ("50", "100", "All conversations get them"),
        ("50", "0", "every conversation is back to stateless at its next turn"),
    ],
)
def test_what_a_step_means_for_conversations(
    before: str, after: str, words: str
) -> None:
    run("rollout", "percent", before, *_WHY)

    told = run("rollout", "percent", after, *_WHY)

    assert f"GRADUAL_ROLLOUT_PERCENTAGE: {before} % → {after} %" in told
    assert words in told


def test_the_same_percent_again_says_so() -> None:
    run("rollout", "percent", "10", *_WHY)
    count = Change.objects.count()

    told = run("rollout", "percent", "10.00", *_WHY)

    assert told == "It is so already: nothing was changed.\n"
    assert run_json("rollout", "percent", "10", *_WHY)["changes"] == []
    assert Change.objects.count() == count


def test_a_dry_run_changes_nothing_and_needs_no_reason() -> None:
    told = run("rollout", "percent", "10", "--dry-run")

    assert "GRADUAL_ROLLOUT_PERCENTAGE: 0 % → 10 %" in told
    assert told.endswith("Dry run: nothing was changed.\n")
    assert (USE.get(), PERCENT.get()) == (False, Decimal(0))


@pytest.mark.parametrize(
    "percent", ["-1", "−1", "100.01", "ten", "NaN", "inf", "1e2", "", "10%"]
)
def test_what_is_no_percent_is_refused(percent: str) -> None:
    why = refusal("rollout", "percent", *_WHY, "--", percent, code=2)

    assert why == (
        "GRADUAL_ROLLOUT_PERCENTAGE must be a number between 0 and 100 with at most 2 "
        f"decimals, not {percent!r}."
    )
    assert PERCENT.get() == 0


def test_a_percent_needs_a_reason() -> None:
    why = refusal("rollout", "percent", "10")
    assert why.startswith("Say why")
    assert why.endswith("(--reason)")
    assert PERCENT.get() == 0


def test_a_kill_is_one_word_and_needs_no_reason() -> None:
    run("rollout", "percent", "100", *_WHY)

    told = run("rollout", "kill")

    assert told.splitlines() == [
        "USE_PERSISTENT_SESSIONS: true → false",
        "All conversations: each one is back to stateless at its next turn.",
    ]
    assert USE.get() is False
    assert run("rollout", "kill") == "It is off already: nothing was changed.\n"


def test_a_kill_works_while_other_values_are_broken() -> None:
    run("rollout", "percent", "100", *_WHY)
    RuntimeSetting.objects.update(value="broken")

    assert "true → false" in run("rollout", "kill", "--reason", "Errors.")


def test_a_kill_works_whatever_the_terminal_sends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run("rollout", "percent", "100", *_WHY)
    monkeypatch.setenv("LOGNAME", "o" * 200)

    run("rollout", "kill", "--reason", "Caf\udce9 \x1b[2J")

    last = changes.latest(USE.name)
    assert last is not None
    assert USE.get() is False
    assert (last.actor, last.reason) == ("o" * 150, "Caf\ufffd \ufffd[2J")


def test_a_percent_does_not_undo_a_kill_unless_that_is_asked_for() -> None:
    run("rollout", "percent", "10", *_WHY)
    run("rollout", "kill", "--reason", "Errors.")

    why = refusal("rollout", "percent", "20", *_WHY)
    told = run("rollout", "percent", "20", "--enable", *_WHY)

    assert f"was switched off by {getpass.getuser()} at " in why
    assert "(Errors.)" in why
    assert "--enable" in why
    assert "USE_PERSISTENT_SESSIONS: false → true" in told
    assert (USE.get(), PERCENT.get()) == (True, Decimal(20))


def test_programs_read_what_was_changed() -> None:
    document = run_json("rollout", "percent", "12.50", *_WHY)

    assert document["dry_run"] is False
    assert document["changes"] == [
        {
            "name": "USE_PERSISTENT_SESSIONS",
            "old": "false",
            "new": "true",
            "unit": "",
        },
        {
            "name": "GRADUAL_ROLLOUT_PERCENTAGE",
            "old": "0",
            "new": "12.5",
            "unit": "%",
        },
    ]
    assert run_json("rollout", "kill")["changes"][0]["new"] == "false"
    assert run_json("rollout", "kill")["changes"] == []


def _turns(*, persistent: int, stateless: int, hours_ago: float) -> None:
    """Store turns that ended."""
    conversation = stored.conversation()
    answer = conversation.messages.create(role="assistant", status="complete")
    at = timezone.now() - timedelta(hours=hours_ago)
    for number in range(persistent + stateless):
        strategy = "history" if number < persistent else "stateless"
        stored.attempt(answer, strategy=strategy, created_at=at, ended_at=at)


def test_the_status_says_how_it_stands_what_is_measured_and_who_did_it() -> None:
    changes.apply(changes.set_percent(10), actor=ALICE, reason="A first tenth.")
    _turns(persistent=1, stateless=7, hours_ago=0.5)
    _turns(persistent=0, stateless=2, hours_ago=20)
    _turns(persistent=50, stateless=0, hours_ago=30)

    told = run("rollout", "status")

    assert "Persistent sessions are ON for 10 % of conversations." in told
    assert "Percent set: 10 %" in told
    assert "Exposure measured in the last hour: 12.5 % (1 of 8 turns)" in told
    assert "Exposure measured in the last 24 hours: 10 % (1 of 10 turns)" in told
    assert "alice (admin)  GRADUAL_ROLLOUT_PERCENTAGE: 0 → 10  A first tenth." in told


def test_the_status_for_programs() -> None:
    changes.apply(changes.set_percent(10), actor=ALICE, reason="A first tenth.")
    _turns(persistent=1, stateless=7, hours_ago=0.5)

    status = run_json("rollout", "status")

    assert (status["is_on"], status["percent"]) == (True, "10")
    assert status["exposure"]["1h"] == {
        "persistent_turns": 1,
        "turns": 8,
        "percent": 12.5,
    }
    assert status["last_change"]["actor"] == "alice"
    assert status["last_change"]["reason"] == "A first tenth."


def test_no_turns_are_no_data_and_not_0() -> None:
    assert "the last hour: no data" in run("rollout", "status")
    assert run_json("rollout", "status")["exposure"]["24h"]["percent"] is None


@pytest.mark.parametrize("is_lost", [True, False])
def test_the_status_while_it_is_off(*, is_lost: bool) -> None:
    if is_lost:
        Flag.objects.filter(name=FLAG).delete()

    told = run("rollout", "status")

    assert "Persistent sessions are OFF" in told
    assert ("no row" in told) is is_lost


def _process(tmp_path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "rollout", *words],
        cwd=ROOT,
        env=os.environ
        | {
            "ORACLE_ENV_FILE": os.devnull,
            "ORACLE_DATA_DIR": str(tmp_path),
            "DATABASE_URL": "",
        },
        check=False,
        capture_output=True,
        text=True,
    )


def test_exit_codes_are_in_the_help_and_hold(tmp_path: Path) -> None:
    helped = _process(tmp_path, "--help")
    misspelt = _process(tmp_path, "percnt", "10")
    unmigrated = _process(tmp_path, "kill")

    assert "Exit codes: 0 done" in helped.stdout
    assert misspelt.returncode == 2
    assert unmigrated.returncode == 1
    assert "The database can't be used" in unmigrated.stderr
    assert "Traceback" not in unmigrated.stderr
