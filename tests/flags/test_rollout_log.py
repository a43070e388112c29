"""`manage.py rollout explain|replay|verify-log|plan`: what was decided, and why."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from flags import decisions, plan_store, rollouts
from flags.models import Decision, RolloutPlan
from flags.plans import GUIDE
from tests.chat.observed import NOON
from tests.flags import ramping
from tests.flags.commands import refusal, run, run_json
from tests.flags.ramping import People

pytestmark = pytest.mark.django_db
# For each column of a decision something that it never had here.
_OTHER = {
    **dict.fromkeys(("action", "actor", "channel", "reason", "sentence"), "other"),
    **dict.fromkeys(("state_before", "state_after", "release"), "other"),
    **{name: Decimal(33) for name in ("percent_before", "percent_after")},
    "phase_index": 2,
    "at": NOON,
    "inputs": {},
    "readings": [{}],
    "previous_hash": "0" * 64,
}


def _alter(number: int, **columns: Any) -> None:
    """Change a decision behind the model's back."""
    QuerySet.update(Decision.objects.filter(number=number), **columns)


def test_a_decision_is_explained_and_the_log_replayed_and_verified() -> None:
    rollout = ramping.started()
    made = ramping.pass_time(People(failing=0.8), minutes=8)
    count = len(made)

    told = run("rollout", "explain")
    document = run_json("rollout", "explain", "3")
    replayed = run("rollout", "replay", "--rollout", str(rollout.pk))
    verified = run("rollout", "verify-log")

    assert "of rollout" in told
    assert "What: " in told
    assert document["number"] == 3
    assert document["readings"]
    assert f"{count} ticks over" in replayed
    assert f"All {count} decisions of rollout {rollout.pk} are as they were" in verified
    assert run_json("rollout", "replay")["differences"] == []
    assert f"there are: 1 to {count}" in refusal("rollout", "explain", "99")


def test_what_fired_is_in_the_words_of_its_decision() -> None:
    ramping.started()
    made = ramping.pass_time(People(failing=0.8), minutes=8)
    [back] = [each for each in made if each.action == "roll_back"]

    told = run("rollout", "explain", str(back.number))

    assert "Fired: " in told
    assert "(asks to roll back)" in told
    assert " FAILS: " in told
    assert "treatment conversations failed" in told
    assert "State: " in told
    assert "→ rolling back" in told


def test_another_plan_is_asked_what_it_would_have_done() -> None:
    ramping.started()
    ramping.pass_time(People(), minutes=8)
    slow = replace(
        ramping.SHORT,
        name="patient",
        phases=tuple(replace(p, dwell_s=3600) for p in ramping.SHORT.phases),
    )
    ramping.planned(slow)

    same = run_json("rollout", "replay", "--plan", "short")
    other = run_json("rollout", "replay", "--plan", "patient")

    assert [(s["action"], s["percent"]) for s in same["steps"]] == [
        ("begin", 20),
        ("advance", 50),
    ]
    assert [(s["action"], s["percent"]) for s in other["steps"]] == [("begin", 20)]
    assert "is as it was" in run("rollout", "replay", "--plan", "patient")


def test_the_guides_plan_is_there_from_the_start() -> None:
    assert "guide@1 by first start" in run("rollout", "plan", "show")
    told = run("rollout", "plan", "show", "guide")
    assert "Phase 2: 10 %, 2 days, 1,400 treatment conversations; few_errors" in told
    assert "rolled back falsely in 1 %, halved in 1 %" in told
    assert "false in 0.9 % of ramps" in told
    assert run("rollout", "plan", "lint", "guide") == "guide@1 can be followed.\n"
    plan_store.seed()
    assert RolloutPlan.objects.count() == 1


def test_a_plan_comes_from_a_file_and_no_version_is_ever_changed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "plan.json"
    path.write_text(ramping.SHORT.to_text())
    add = ("rollout", "plan", "add", str(path))

    assert run("rollout", "plan", "lint", str(path)) == "short@1 can be followed.\n"
    assert "It would be stored.\nDry run" in run(*add, "--dry-run")
    assert run_json(*add)["is_new"] is True
    assert "stored already" in run(*add)
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    why = refusal("rollout", "plan", "lint", str(empty))
    assert why == "phases is missing in the plan."
    path.write_text(replace(ramping.SHORT, slow_ms=1.0).to_text())
    assert 'Give this one "version": 2.' in refusal(*add)
    assert refusal(*add, "--dry-run") == refusal(*add)

    assert json.loads(ramping.SHORT.to_text()) == run_json(
        "rollout", "plan", "show", "short@1"
    )


def test_a_bad_plan_is_told_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(replace(GUIDE, name="bad", harms=()).to_text())
    lint = ("rollout", "plan", "lint", str(path))

    assert "No harm gate watches errors" in refusal(*lint)
    assert "No harm gate watches errors" in refusal(
        "rollout", "plan", "add", str(path), "--dry-run"
    )
    path.write_text("[]")
    assert 'an object with "phases" is needed' in refusal(*lint)
    path.write_text("{")
    assert "is no JSON" in refusal(*lint)
    path.write_text("[" * 100_000)
    assert "is no JSON" in refusal(*lint)
    path.write_text(replace(GUIDE, name="\x1b[2J").to_text())
    assert "\x1b" not in refusal(*lint)
    assert "can't be read" in refusal("rollout", "plan", "add", str(tmp_path / "no"))
    assert rollouts.watched() is None


def test_it_is_noticed_when_the_newest_decisions_are_missing() -> None:
    rollout = ramping.started()
    made = ramping.pass_time(People(), minutes=2)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM flags_decision WHERE number > %s", [2])

    (fault,) = decisions.verify(rollout)

    assert fault == f"The newest decisions are missing: 2 of {len(made)} are there."


def test_a_database_may_lose_the_sign_of_a_zero() -> None:
    assert decisions.comparable([-0.0, 1e22]) == decisions.comparable([0, 10**22])


def test_whatever_is_altered_in_a_decision_is_noticed() -> None:
    rollout = ramping.started()
    ramping.pass_time(People(), minutes=2)

    for name, value in _OTHER.items():
        with transaction.atomic():
            _alter(2, **{name: value})
            faults = list(decisions.verify(rollout))
            transaction.set_rollback(True)
        assert "Decision 2 was changed after it was written." in faults, name
    assert list(decisions.verify(rollout)) == []
    columns = {each.attname for each in Decision._meta.concrete_fields}
    assert columns - _OTHER.keys() == {"id", "rollout_id", "number", "hash"}


def test_one_that_was_written_anew_is_not_what_the_next_one_followed() -> None:
    rollout = ramping.started()
    ramping.pass_time(People(), minutes=2)

    _alter(2, sentence="Nothing was seen.")
    _alter(2, hash=decisions._hash(Decision.objects.get(number=2)))

    assert list(decisions.verify(rollout)) == [
        "Decision 3 does not follow the one before it."
    ]


def test_one_that_is_missing_in_between_is_named() -> None:
    rollout = ramping.started()
    ramping.pass_time(People(), minutes=2)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM flags_decision WHERE number = 2")

    assert list(decisions.verify(rollout)) == ["Decision 2 is missing: next comes 3."]
