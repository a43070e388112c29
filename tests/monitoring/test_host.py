"""Room on the machine: disk, memory, a place for logs."""

import logging
import os
from pathlib import Path

import pytest
from django.conf import LazySettings

from monitoring import host

_MB, _GB = 10**6, 10**9


@pytest.mark.parametrize(
    ("free_bytes", "status"),
    [
        (0, "unhealthy"),
        (100 * _MB - 1, "unhealthy"),
        (100 * _MB, "degraded"),
        (_GB - 1, "degraded"),
        (_GB, "healthy"),
    ],
)
def test_a_disk_is_judged_by_what_is_free(free_bytes: int, status: str) -> None:
    assert host.judged_disk(free_bytes).status == status


@pytest.mark.parametrize(
    ("used_percent", "status"), [(10, "healthy"), (90, "healthy"), (90.1, "degraded")]
)
def test_memory_is_judged_by_what_is_used(used_percent: float, status: str) -> None:
    assert host.judged_memory(used_percent).status == status


def test_this_machine_has_a_disk_and_memory() -> None:
    assert host.disk().sentence.endswith("GB are free.")
    assert host.memory().sentence.endswith("% are in use.")


@pytest.mark.parametrize("has_been_made", [True, False])
def test_logs_are_written_below_the_data(
    settings: LazySettings, tmp_path: Path, has_been_made: bool
) -> None:
    settings.DATA_DIR = tmp_path
    if has_been_made:
        (tmp_path / "logs").mkdir()

    assert host.logs().status == "healthy"


def test_a_folder_that_is_gone_or_closed_is_degraded(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)

    assert host.judged_folder(tmp_path / "missing").status == "degraded"
    is_root = os.geteuid() == 0  # who may write anywhere
    assert host.judged_folder(closed).status == ("healthy" if is_root else "degraded")


def test_a_process_that_logs_nowhere_is_degraded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])

    assert host.logs().status == "degraded"
