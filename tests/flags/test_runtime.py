"""Settings: declared once, looked for in three places, at most two seconds old."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import conf as chat_conf
from flags import conf, runtime, store, values
from flags.errors import UnknownSetting
from flags.models import Flag, RuntimeSetting
from tests.servers import ROOT

_BATCH = runtime.find("CLEANUP_BATCH_SIZE")
_RECOVERY = runtime.find("ENABLE_SESSION_RECOVERY")


def test_chat_asks_for_the_flag_that_is_rolled_out() -> None:
    assert chat_conf.FLAG == conf.FLAG


def test_every_default_is_within_its_range_and_breaks_no_rule() -> None:
    defaults = {each.name: each.default for each in runtime.declared()}

    read_back = {
        each.name: each.parse(values.write(each.default)) for each in runtime.declared()
    }

    assert read_back == defaults
    assert runtime.broken_rules(defaults) == []


def test_every_setting_says_what_it_is() -> None:
    for setting in runtime.declared():
        assert setting.help.endswith("."), setting.name
        assert setting.group, setting.name


def test_the_rollout_stands_first() -> None:
    assert [each.name for each in runtime.declared()][:2] == [
        "USE_PERSISTENT_SESSIONS",
        "GRADUAL_ROLLOUT_PERCENTAGE",
    ]


def test_a_setting_is_declared_once() -> None:
    with pytest.raises(ImproperlyConfigured, match="CLEANUP_BATCH_SIZE is declared"):
        runtime.flag("CLEANUP_BATCH_SIZE", default=True, group="Cleanup", help="Again.")

    assert runtime.find("CLEANUP_BATCH_SIZE") is _BATCH


@pytest.mark.parametrize("name", ["CLEANUP_BATCH", "cleanup_batch_size"])
def test_an_unknown_name_suggests_near_ones(name: str) -> None:
    with pytest.raises(UnknownSetting) as refused:
        runtime.find(name)

    assert f"There is no setting {name!r}. Did you mean CLEANUP_BATCH_SIZE" in str(
        refused.value
    )


def test_a_name_that_is_near_to_none_lists_them_all() -> None:
    with pytest.raises(UnknownSetting) as refused:
        runtime.find("?")

    assert all(each.name in str(refused.value) for each in runtime.declared())


@pytest.mark.django_db
def test_what_is_stored_holds_then_the_environment_then_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEANUP_BATCH_SIZE", "60")
    store.put("CLEANUP_BATCH_SIZE", 70)
    held = [_BATCH.get()]

    RuntimeSetting.objects.all().delete()
    runtime.forget()
    held.append(_BATCH.get())
    monkeypatch.delenv("CLEANUP_BATCH_SIZE")
    held.append(_BATCH.get())

    assert held == [70, 60, 50]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["many", "0", "", "10001"])
def test_a_stored_value_that_can_not_be_used_stops_nothing(text: str) -> None:
    RuntimeSetting.objects.filter(name="CLEANUP_BATCH_SIZE").update(value=text)

    assert _BATCH.get() == 50
    assert runtime.stored()["CLEANUP_BATCH_SIZE"] == text


@pytest.mark.django_db
def test_the_environment_does_not_switch_on_a_flag_without_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("USE_PERSISTENT_SESSIONS", "true")
    monkeypatch.setenv("GRADUAL_ROLLOUT_PERCENTAGE", "50")
    Flag.objects.filter(name=conf.FLAG).delete()

    assert conf.USE.get() is False
    assert conf.PERCENT.get() == Decimal(0)


@pytest.mark.django_db
def test_a_process_looks_once_in_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now)
    with CaptureQueriesContext(connection) as first:
        _BATCH.get()
    RuntimeSetting.objects.filter(name="CLEANUP_BATCH_SIZE").update(value="7")

    with CaptureQueriesContext(connection) as within:
        young = [_BATCH.get(), _RECOVERY.get()]
    now += runtime.LEASE_S
    old = _BATCH.get()

    assert len(first) == 3
    assert len(within) == 0
    assert young == [50, True]
    assert old == 7


@pytest.mark.django_db(transaction=True)
def test_who_read_before_a_change_gives_nobody_the_old_value_after_it() -> None:
    has_read, may_go_on = threading.Event(), threading.Event()

    def slowly(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "waffle_switch" in sql:  # the settings' own table comes before it
            has_read.set()
            assert may_go_on.wait(30)
        return execute(sql, *rest)

    def read() -> None:
        with connection.execute_wrapper(slowly):
            seen.append(_BATCH.get())
        connection.close()

    seen: list[int] = []
    store.put("CLEANUP_BATCH_SIZE", 60)
    reader = threading.Thread(target=read)
    reader.start()
    assert has_read.wait(30)
    store.put("CLEANUP_BATCH_SIZE", 70)
    runtime.forget()
    may_go_on.set()
    reader.join()

    assert seen == [60]
    assert _BATCH.get() == 70


def _boot(tmp_path: Path, **given: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "settings", "--help"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "ORACLE_ENV_FILE": os.devnull,
            "ORACLE_DATA_DIR": str(tmp_path),
            **given,
        },
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"GRADUAL_ROLLOUT_PERCENTAGE": "100.01"},
            "GRADUAL_ROLLOUT_PERCENTAGE must be a number between 0 and 100",
        ),
        (
            {"PERSISTENT_SESSION_TIMEOUT": "59"},
            "PERSISTENT_SESSION_TIMEOUT must be a whole number between 60 and",
        ),
        (
            {"CLEANUP_BATCH_SIZE": "600"},
            "CLEANUP_BATCH_SIZE (600) must not be larger than MAX_PERSISTENT_SESSIONS",
        ),
        (
            {"USE_PERSISTENT_SESSIONS": "ten"},
            "USE_PERSISTENT_SESSIONS must be true or false, not 'ten'",
        ),
    ],
)
def test_a_process_with_a_bad_value_in_its_environment_does_not_start(
    tmp_path: Path, given: dict[str, str], words: str
) -> None:
    booted = _boot(tmp_path, **given)

    assert booted.returncode != 0
    assert words in booted.stderr.splitlines()[-1]


def test_a_process_with_good_values_starts(tmp_path: Path) -> None:
    booted = _boot(tmp_path, GRADUAL_ROLLOUT_PERCENTAGE="12.5", CLEANUP_BATCH_SIZE="9")

    assert booted.returncode == 0, booted.stderr
