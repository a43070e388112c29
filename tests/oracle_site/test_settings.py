"""The settings as a process sees them at its start."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from oracle_site import secret_key
from tests.servers import ROOT

_TOGETHER = 8

_PRINT = """
import json, sys
from oracle_site import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}))
"""


def _boot(
    tmp_path: Path, *names: str, **given: str
) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": os.environ["PATH"],
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(tmp_path),
        **given,
    }
    return subprocess.run(
        [sys.executable, "-c", _PRINT, *names],
        cwd=ROOT,
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )


def _read(tmp_path: Path, *names: str, **given: str) -> dict[str, Any]:
    booted = _boot(tmp_path, *names, **given)
    assert booted.returncode == 0, booted.stderr
    found: dict[str, Any] = json.loads(booted.stdout)
    return found


def test_a_fresh_machine_needs_nothing(tmp_path: Path) -> None:
    found = _read(
        tmp_path, "DEBUG", "ORACLE_ACCESS", "ORACLE_LOCAL_OWNER", "ALLOWED_HOSTS"
    )

    assert found == {
        "DEBUG": False,
        "ORACLE_ACCESS": "open",
        "ORACLE_LOCAL_OWNER": True,
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
    }


def test_production_is_closed_by_default(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        *("ORACLE_LOCAL_OWNER", "ALLOWED_HOSTS", "USE_HTTPS", "SESSION_COOKIE_SECURE"),
        ENVIRONMENT="production",
        SECRET_KEY="x" * 50,
    )

    assert found == {
        "ORACLE_LOCAL_OWNER": False,
        "ALLOWED_HOSTS": [],
        "USE_HTTPS": True,
        "SESSION_COOKIE_SECURE": True,
    }


def test_production_without_a_secret_key_does_not_start(tmp_path: Path) -> None:
    booted = _boot(tmp_path, ENVIRONMENT="production")

    assert booted.returncode != 0
    assert "SECRET_KEY" in booted.stderr.splitlines()[-1]


def test_a_secret_key_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    first = _read(tmp_path, "SECRET_KEY")
    second = _read(tmp_path, "SECRET_KEY")

    assert first == second
    assert len(first["SECRET_KEY"]) >= 50
    mode = (tmp_path / "secret_key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_all_who_start_together_have_the_same_whole_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    starting = Barrier(_TOGETHER)

    def find(data_dir: Path) -> str:
        starting.wait()
        return secret_key.find(data_dir, is_production=False)

    with ThreadPoolExecutor(_TOGETHER) as pool:
        for n in range(50):
            folder = tmp_path / f"{n}"
            folder.mkdir()
            [found] = set(pool.map(find, [folder] * _TOGETHER))
            assert len(found) >= 50


def test_a_key_whose_making_was_cut_short_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    (tmp_path / "secret_key").touch()

    made = secret_key.find(tmp_path, is_production=False)

    assert len(made) >= 50
    assert secret_key.find(tmp_path, is_production=False) == made


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("DEBUG", "maybe"),
        ("ORACLE_ACCESS", "closed"),
        ("MAX_MESSAGE_CHARS", "0"),
        ("GEMINI_TOTAL_DEADLINE_S", "soon"),
    ],
)
def test_a_bad_value_stops_the_boot_with_its_name(
    tmp_path: Path, name: str, value: str
) -> None:
    booted = _boot(tmp_path, **{name: value})

    assert booted.returncode != 0
    assert f"{name}='{value}'" in booted.stderr.splitlines()[-1]


def test_the_default_model_is_always_offered(tmp_path: Path) -> None:
    found = _read(
        tmp_path, "GEMINI_MODELS", GEMINI_MODEL="my-own", GEMINI_MODELS="a, b"
    )

    assert found["GEMINI_MODELS"] == ["my-own", "a", "b"]


def test_the_drain_ends_before_the_server_kills(tmp_path: Path) -> None:
    found = _read(tmp_path, "DRAIN_S", "GRACEFUL_TIMEOUT_S", GRACEFUL_TIMEOUT_S="30")

    assert found["DRAIN_S"] <= found["GRACEFUL_TIMEOUT_S"] - 5


@pytest.mark.django_db(transaction=True)
def test_sqlite_runs_with_the_settings_it_was_given() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the database is another one")
    pragmas = {}
    with connection.cursor() as cursor:
        for name in ("busy_timeout", "journal_mode", "synchronous", "foreign_keys"):
            pragmas[name] = cursor.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragmas == {
        "busy_timeout": 20_000,
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
    }


@pytest.mark.django_db(transaction=True)
def test_a_transaction_begins_with_the_write_lock() -> None:
    path = connection.settings_dict["NAME"]
    stranger = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        refused = pytest.raises(sqlite3.OperationalError, match="locked")
        with transaction.atomic(), refused:
            stranger.execute("BEGIN IMMEDIATE")
        stranger.execute("BEGIN IMMEDIATE")
    finally:
        stranger.close()


def test_no_request_is_one_transaction() -> None:
    assert not settings.DATABASES["default"].get("ATOMIC_REQUESTS")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"ALERT_EMAIL_TO": "ops@example.org"}, "EMAIL_HOST"),
        ({"EMAIL_USE_TLS": "true", "EMAIL_USE_SSL": "true"}, "EMAIL_USE_SSL"),
        ({"ALERT_WEBHOOK_URL": "https://example.org/"}, "ALERT_WEBHOOK_SECRET"),
        ({"ALERT_SLACK_URL": "hooks.example.org/canary"}, "ALERT_SLACK_URL"),
        ({"HEARTBEAT_URL": "canary"}, "HEARTBEAT_URL"),
        ({"EMAIL_PORT": "0"}, "EMAIL_PORT"),
        ({"EMAIL_FROM": "nobody"}, "EMAIL_FROM"),
    ],
)
def test_notifications_that_cannot_work_stop_the_boot(
    tmp_path: Path, given: dict[str, str], named: str
) -> None:
    booted = _boot(tmp_path, **given)

    assert booted.returncode != 0
    assert named in booted.stderr.splitlines()[-1]
    assert "canary" not in booted.stderr


def test_notifications_are_read_with_their_secrets(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 16 + "\n")
    slack = "https://hooks.example.org/services/T0/B0/0123456789"

    found = _read(
        tmp_path,
        *("ALERT_WEBHOOK_SECRET", "DEFAULT_FROM_EMAIL", "EMAIL_USE_TLS", "SECRETS"),
        ALERT_WEBHOOK_URL="https://example.org/hook",
        ALERT_WEBHOOK_SECRET_FILE=str(secret),
        ALERT_SLACK_URL=slack,
        EMAIL_USE_SSL="true",
        EMAIL_FROM="oracle@example.org",
    )

    secrets = found.pop("SECRETS")
    assert {slack, "/services/T0/B0/0123456789", "s" * 16} <= set(secrets)
    assert "/hook" not in secrets
    assert found == {
        "ALERT_WEBHOOK_SECRET": "s" * 16,
        "DEFAULT_FROM_EMAIL": "oracle@example.org",
        "EMAIL_USE_TLS": False,
    }
