"""`manage.py check --deploy` names what is wrong with flag and settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import CheckMessage, run_checks

from flags import changes, runtime
from flags.checks import stored_values
from flags.conf import FLAG, PERCENT, USE
from flags.models import Flag, RuntimeSetting
from tests.flags.operators import ALICE
from tests.servers import ROOT


def _ids(found: list[CheckMessage]) -> list[str | None]:
    return [each.id for each in found]


@pytest.mark.django_db
def test_a_seeded_site_is_in_order() -> None:
    assert stored_values() == []


@pytest.mark.django_db
def test_they_run_for_a_deployment_only() -> None:
    Flag.objects.filter(name=FLAG).delete()

    plain = _ids(run_checks(tags=["flags"]))
    deployment = _ids(run_checks(tags=["flags"], include_deployment_checks=True))

    assert plain == []
    assert deployment == ["flags.E001"]


@pytest.mark.django_db
def test_a_flag_without_a_row() -> None:
    Flag.objects.filter(name=FLAG).delete()

    [found] = stored_values()

    assert found.id == "flags.E001"
    assert "manage.py migrate" in (found.hint or "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("PERSISTENT_SESSION_TIMEOUT", "59", "PERSISTENT_SESSION_TIMEOUT must be"),
        ("CLEANUP_BATCH_SIZE", "many", "not 'many'"),
        ("CLEANUP_BATCH_SIZE", "600", "(600) must not be larger than"),
        ("PERSISTENT_SESSION_STRATEGY", "magic", "one of history, interactions"),
    ],
)
def test_a_stored_value_that_can_not_be_used(name: str, text: str, words: str) -> None:
    RuntimeSetting.objects.filter(name=name).update(value=text)

    [found] = stored_values()

    assert found.id == "flags.E002"
    assert words in found.msg
    assert "settings set" in (found.hint or "")


@pytest.mark.django_db
def test_an_environment_that_disagrees_is_named_and_the_database_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEANUP_BATCH_SIZE", "60")
    monkeypatch.setenv("CLEANUP_INTERVAL", "300")

    [found] = stored_values()

    assert found.id == "flags.W001"
    assert found.msg == (
        "CLEANUP_BATCH_SIZE is 60 in the environment and 50 in the database, which is "
        "what holds."
    )
    assert runtime.find("CLEANUP_BATCH_SIZE").get() == 50


@pytest.mark.django_db
def test_a_percent_without_effect() -> None:
    changes.apply(changes.set_percent("12.50"), actor=ALICE, reason="Because.")
    changes.kill(actor=ALICE)

    [found] = stored_values()

    assert found.id == "flags.W002"
    assert f"{PERCENT.name} is 12.5 and {USE.name} is false" in found.msg


def test_a_database_without_tables_is_an_error_and_no_crash(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--tag", "flags"],
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

    assert done.returncode == 1
    assert "flags.E003" in done.stderr
    assert "Traceback" not in done.stderr
