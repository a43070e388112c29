"""`manage.py settings`: look, change, undo, carry over."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from flags import changes, runtime
from flags.models import Change, RuntimeSetting
from tests.flags.commands import refusal, run, run_json
from tests.flags.operators import ALICE

pytestmark = pytest.mark.django_db
_WHY = ("--reason", "Because.")


def _by_name(listed: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in listed}


def test_the_list_groups_all_settings_with_unit_and_default() -> None:
    told = run("settings", "list")

    assert "  PERSISTENT_SESSION_TIMEOUT = 3600 seconds (default)\n" in told
    groups = [line for line in told.splitlines() if not line.startswith(" ")]
    assert len(groups) == len(set(groups))
    assert groups[0] == "Rollout"
    assert len(told.splitlines()) == len(groups) + len(runtime.declared())


def test_the_list_names_what_differs_from_default_and_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run("settings", "set", "CLEANUP_BATCH_SIZE", "60", *_WHY)
    monkeypatch.setenv("CLEANUP_BATCH_SIZE", "70")

    told = run("settings", "list", "--changed")

    assert told.splitlines() == [
        "Cleanup",
        "  CLEANUP_BATCH_SIZE = 60 sessions (changed from default 50 sessions; the "
        "environment says 70)",
    ]


def test_the_list_names_a_stored_value_that_can_not_be_used() -> None:
    RuntimeSetting.objects.filter(name="CLEANUP_BATCH_SIZE").update(value="many")

    assert "stored, but can't be used: CLEANUP_BATCH_SIZE must be" in run(
        "settings", "list"
    )


def test_the_list_for_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANUP_INTERVAL", "60")
    monkeypatch.setenv("CLEANUP_BATCH_SIZE", "50")

    listed = _by_name(run_json("settings", "list"))

    interval = listed["CLEANUP_INTERVAL"]
    assert interval.pop("help").startswith("How often")
    assert interval == {
        "group": "Cleanup",
        "name": "CLEANUP_INTERVAL",
        "value": "300",
        "unit": "seconds",
        "default": "300",
        "is_changed": False,
        "environment": "60",
        "problem": None,
    }
    assert listed["CLEANUP_BATCH_SIZE"]["environment"] is None
    assert set(listed) == {each.name for each in runtime.declared()}


def test_one_value_is_printed_as_set_takes_it() -> None:
    assert run("settings", "get", "PERSISTENT_SESSION_TIMEOUT") == "3600\n"
    assert run("settings", "get", "ENABLE_SESSION_RECOVERY") == "true\n"
    assert run_json("settings", "get", "CLEANUP_BATCH_SIZE")["unit"] == "sessions"


@pytest.mark.parametrize(
    "words", [("get", "CLEANUP_BATCH"), ("set", "CLEANUP_BATCH", "1", *_WHY)]
)
def test_an_unknown_name_suggests_near_ones(words: tuple[str, ...]) -> None:
    why = refusal("settings", *words)

    assert "There is no setting 'CLEANUP_BATCH'. Did you mean CLEANUP_BATCH_SIZE" in why


def test_several_are_set_together() -> None:
    told = run(
        "settings",
        *("set", "CLEANUP_BATCH_SIZE", "800", "MAX_PERSISTENT_SESSIONS", "900"),
        *_WHY,
    )

    assert told.splitlines() == [
        "MAX_PERSISTENT_SESSIONS: 500 sessions → 900 sessions",
        "CLEANUP_BATCH_SIZE: 50 sessions → 800 sessions",
        "Every process works by the new values within two seconds.",
    ]
    assert runtime.find("CLEANUP_BATCH_SIZE").get() == 800


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (("CLEANUP_BATCH_SIZE", "600"), "must not be larger than MAX_PERSISTENT_"),
        (("CLEANUP_INTERVAL", "60", "CLEANUP_BATCH_SIZE", "0"), "between 1 and"),
        (("PERSISTENT_SESSION_TIMEOUT", "59"), "between 60 and 604,800 seconds"),
        (("GRADUAL_ROLLOUT_PERCENTAGE", "100.01"), "between 0 and 100"),
        (("ENABLE_SESSION_RECOVERY", "maybe"), "true or false"),
        (("CLEANUP_INTERVAL",), "CLEANUP_INTERVAL has no value"),
        (("CLEANUP_INTERVAL", "60", "CLEANUP_INTERVAL", "70"), "named twice"),
    ],
)
def test_what_is_refused_changes_nothing(pairs: tuple[str, ...], words: str) -> None:
    before = (runtime.stored(), Change.objects.count())

    why = refusal("settings", "set", *pairs, *_WHY)

    assert words in why
    assert (runtime.stored(), Change.objects.count()) == before


def test_a_change_needs_a_reason_and_a_dry_run_none() -> None:
    told = run("settings", "set", "CLEANUP_BATCH_SIZE", "60", "--dry-run")

    assert "50 sessions → 60 sessions" in told
    assert "Say why" in refusal("settings", "set", "CLEANUP_BATCH_SIZE", "60")
    assert runtime.find("CLEANUP_BATCH_SIZE").get() == 50


def test_the_same_value_again_says_so() -> None:
    told = run("settings", "set", "CLEANUP_BATCH_SIZE", "50", *_WHY)

    assert told == "It is so already: nothing was changed.\n"


def test_the_history_is_newest_first_and_can_be_narrowed() -> None:
    run("settings", "set", "CLEANUP_BATCH_SIZE", "60", *_WHY)
    run("settings", "set", "CLEANUP_INTERVAL", "60", "--reason", "Sooner.")

    newest = run("settings", "history", "--limit", "1")
    narrowed = run_json("settings", "history", "CLEANUP_BATCH_SIZE")

    assert "CLEANUP_INTERVAL: 300 → 60  Sooner." in newest
    assert len(newest.splitlines()) == 1
    assert [(each["old"], each["new"]) for each in narrowed] == [
        ("50", "60"),
        ("", "50"),
    ]


def test_a_reason_of_several_lines_does_not_look_like_another_entry() -> None:
    reason = "Slow.\r\n   99  2026-01-01 00:00 UTC  bob (admin)  X: 1 → 2"
    run("settings", "set", "CLEANUP_BATCH_SIZE", "60", "--reason", reason)

    [line] = run("settings", "history", "CLEANUP_BATCH_SIZE", "--limit", "1").split(
        "\n"
    )[:-1]

    assert line.endswith("Slow.    99  2026-01-01 00:00 UTC  bob (admin)  X: 1 → 2")


def test_a_limit_may_be_beyond_all_numbers() -> None:
    assert run("settings", "history", "--limit", f"{10**30}")


def test_what_history_there_can_not_be() -> None:
    assert "Did you mean" in refusal("settings", "history", "CLEANUP_BATCH")
    assert "expected 1 or more" in refusal("settings", "history", "--limit", "0")


def test_the_history_of_a_setting_that_is_gone_can_still_be_read() -> None:
    Change.objects.create(
        name="RETIRED", old="1", new="2", actor="alice", channel="admin", reason="Old."
    )

    assert "RETIRED: 1 → 2" in run("settings", "history", "RETIRED")


def _last_id() -> str:
    return str(Change.objects.latest("id").pk)


def test_a_revert_brings_back_the_value() -> None:
    run("settings", "set", "CLEANUP_BATCH_SIZE", "60", *_WHY)
    number = _last_id()

    preview = run("settings", "revert", number, "--dry-run")
    told = run("settings", "revert", number, "--reason", "It was wrong.")

    assert "60 sessions → 50 sessions" in preview
    assert "60 sessions → 50 sessions" in told
    assert Change.objects.latest("id").reverts_id == int(number)


def test_a_revert_of_what_was_changed_since_is_a_conflict() -> None:
    run("settings", "set", "CLEANUP_BATCH_SIZE", "60", *_WHY)
    number = _last_id()
    changes.apply({"CLEANUP_BATCH_SIZE": 70}, actor=ALICE, reason="Bigger.")

    why = refusal("settings", "revert", number, *_WHY, code=3)

    assert "was changed to 70 by alice (Bigger.)" in why
    assert runtime.find("CLEANUP_BATCH_SIZE").get() == 70


def test_what_can_not_be_reverted() -> None:
    first = str(Change.objects.get(name="CLEANUP_BATCH_SIZE").pk)

    assert "first value" in refusal("settings", "revert", first, *_WHY)
    assert "no change 0" in refusal("settings", "revert", "0", *_WHY)


def test_an_export_is_taken_over_by_an_import(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    run("settings", "set", "CLEANUP_BATCH_SIZE", "60", *_WHY)
    run("settings", "export", "--file", str(file))
    run("settings", "set", "CLEANUP_BATCH_SIZE", "70", "CLEANUP_INTERVAL", "60", *_WHY)

    preview = run("settings", "import", str(file), "--dry-run")
    told = run("settings", "import", str(file), *_WHY)

    assert (
        preview.splitlines()[:2]
        == told.splitlines()[:2]
        == [
            "CLEANUP_INTERVAL: 60 seconds → 300 seconds",
            "CLEANUP_BATCH_SIZE: 70 sessions → 60 sessions",
        ]
    )
    assert runtime.find("CLEANUP_BATCH_SIZE").get() == 60


def test_an_import_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {
        "format": changes.FORMAT,
        "settings": {"EMERGENCY_CLEANUP_THRESHOLD": 0.29, "CLEANUP_BATCH_SIZE": 60},
    }
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(document)))

    told = run("settings", "import", "-", *_WHY)

    assert "0.95 of the maximum → 0.29 of the maximum" in told
    assert runtime.find("CLEANUP_BATCH_SIZE").get() == 60


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "no export of ours"),
        ('{"format": "oracle-chat-settings/1"}', '"settings" must be an object'),
        (
            '{"format": "oracle-chat-settings/1", "settings": {"CLEANUP_BATCH": 1}}',
            "Did you mean CLEANUP_BATCH_SIZE",
        ),
        (
            '{"format": "oracle-chat-settings/1", "settings": '
            '{"CLEANUP_INTERVAL": 60, "GRADUAL_ROLLOUT_PERCENTAGE": NaN}}',
            "not 'nan'",
        ),
    ],
)
def test_a_bad_import_changes_nothing(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text, encoding="utf-8")
    before = runtime.stored()

    assert words in refusal("settings", "import", str(file), *_WHY)
    assert runtime.stored() == before


def test_files_that_can_not_be_used(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing" / "settings.json")

    assert "can't be read" in refusal("settings", "import", missing, *_WHY)
    assert "can't be written" in refusal("settings", "export", "--file", missing)
