"""How old the newest backup is, and what that means."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import AsyncClient
from django.utils import timezone

from monitoring import backup_age, exposition, probing, registry

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, settings: object) -> Path:
    """A folder of backups that is not there yet."""
    where = tmp_path / "backups"
    settings.BACKUP_DIR = where  # type: ignore[attr-defined]
    return where


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a backup that is so many hours old."""

    def _write(name: str, *, hours: float, text: str = "content") -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(text, encoding="utf-8")
        at = (timezone.now() - timedelta(hours=hours)).timestamp()
        os.utime(path, (at, at))
        return path

    return _write


def _age_hours() -> float | None:
    if (found := backup_age.newest()) is None:
        return None
    return round((timezone.now() - found) / timedelta(hours=1), 1)


def test_without_a_folder_there_is_none(folder: Path) -> None:
    assert not folder.exists()
    assert backup_age.newest() is None


def test_the_newest_one_counts(write: Write) -> None:
    write("oracle_20261124.db", hours=40)
    write("oracle_20261126.db", hours=3)
    write("oracle_20261125.db", hours=20)

    assert _age_hours() == 3.0


def test_links_folders_hidden_and_empty_files_are_none(
    write: Write, folder: Path, tmp_path: Path
) -> None:
    write("real.db", hours=30)
    write(".half.db", hours=1)
    write("empty.db", hours=1, text="")
    (folder / "config").mkdir()
    (tmp_path / "elsewhere").write_text("x", encoding="utf-8")
    (folder / "link.db").symlink_to(tmp_path / "elsewhere")
    (folder / "dangling.db").symlink_to(tmp_path / "nowhere")

    assert _age_hours() == 30.0


def test_only_so_many_files_are_looked_at(
    write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        write(f"{number}.db", hours=1)
    with os.scandir(folder) as entries:
        write(next(entries).name, hours=40)
    monkeypatch.setattr(backup_age, "_MAX_ENTRIES", 1)

    assert _age_hours() == 40.0


@pytest.mark.parametrize(
    ("hours", "is_needed", "status", "sentence"),
    [
        (25.9, True, "healthy", "The newest is 25.9 hours old."),
        (26.1, True, "degraded", "The newest is 26.1 hours old."),
        (26.1, False, "healthy", "The newest is 26.1 hours old."),
        (-2, True, "healthy", "The newest is -2.0 hours old."),
        (None, True, "degraded", "There is no backup."),
        (None, False, "healthy", "There is no backup."),
    ],
)
def test_a_daily_one_may_be_two_hours_late_in_production(
    hours: float | None, is_needed: bool, status: str, sentence: str
) -> None:
    found = None if hours is None else NOW - timedelta(hours=hours)

    health = backup_age.judged(found, now=NOW, is_needed=is_needed)

    assert (health.status, health.sentence) == (status, sentence)


@pytest.mark.parametrize(
    ("is_production", "status"), [(True, "degraded"), (False, "healthy")]
)
def test_the_check_is_one_of_the_site_s(
    folder: Path, settings: object, is_production: bool, status: str
) -> None:
    settings.IS_PRODUCTION = is_production  # type: ignore[attr-defined]

    (found,) = probing.findings([registry.probe("backup")])

    assert not folder.exists()
    assert (found.status, found.sentence) == (status, "There is no backup.")


def test_a_folder_that_fails_is_told_and_is_no_age(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(path: Path) -> None:
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr(os, "scandir", fail)

    assert backup_age.check().status == "degraded"
    assert backup_age.check().sentence.endswith("PermissionError.")
    assert backup_age.level() == {}


@pytest.mark.django_db
def test_metrics_have_its_age_or_nothing(write: Write, folder: Path) -> None:
    assert not folder.exists()
    assert "\noracle_backup_age_seconds " not in exposition.text().decode()

    write("real.db", hours=2)

    (line,) = (
        line
        for line in exposition.text().decode().splitlines()
        if line.startswith("oracle_backup_age_seconds ")
    )
    assert float(line.split()[1]) == pytest.approx(7200, abs=60)


@pytest.mark.django_db(transaction=True)
async def test_a_folder_that_hangs_takes_neither_metrics_nor_health_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, real = threading.Event(), os.scandir

    def scandir(path: Path) -> object:
        return (gate.wait(30) if path == folder else None, real(path))[1]

    monkeypatch.setattr(os, "scandir", scandir)
    client = AsyncClient()

    scrapes = [await client.get("/metrics", REMOTE_ADDR="127.0.0.1") for _ in range(5)]
    health = await client.get("/health")
    gate.set()

    assert {each.status_code for each in scrapes} == {200}
    assert b"\noracle_backup_age_seconds " not in scrapes[-1].content
    assert health.json()["services"]["database"] == "connected"
