"""The launcher's files: bounded, and no line lost while they are rotated."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oracle_site.launcher.children import Children
from oracle_site.launcher.log_file import LogFile
from tests.servers import ROOT

_LINES = 1500
_SPEAKERS = 3
_SPEAK = f"""
import os, sys, time
for number in range({_LINES}):
    os.write(2, b"%d %d\\n" % (os.getpid(), number))
    if number % 50 == 0: time.sleep(0.01)
"""


def _kept(folder: Path) -> list[str]:
    """Return every line of every file, in no order."""
    texts = [path.read_text(encoding="utf-8") for path in folder.iterdir()]
    return [line for text in texts for line in text.splitlines()]


def test_a_file_stays_small_without_logrotate(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "web.log", max_bytes=1000)

    for number in range(1000):
        file.write(f"line {number}")
    file.close()

    names = {"web.log", "web.log.1", "web.log.2", "web.log.3"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert "line 999" in (tmp_path / "web.log").read_text()


def test_after_a_rename_the_next_line_is_in_a_new_file(tmp_path: Path) -> None:
    path, old = tmp_path / "web.log", tmp_path / "web.log-20260101"
    file = LogFile(path)
    file.write("before")

    path.rename(old)
    file.write("after")
    file.close()

    assert old.read_text() == "before\n"
    assert path.read_text() == "after\n"


def test_a_file_that_logrotate_has_made_already_is_used(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    file = LogFile(path)
    file.write("before")
    path.rename(tmp_path / "web.log-20260101")
    path.touch(mode=0o640)

    file.write("after")
    file.close()

    assert path.read_text() == "after\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_went_away_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    file = LogFile(folder / "web.log")
    shutil.rmtree(folder)

    file.write("still here")
    file.close()

    assert (folder / "web.log").read_text() == "still here\n"


def test_a_file_that_cannot_be_written_is_told_once_and_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "logs" / "web.log"
    path.parent.mkdir()
    file = LogFile(path)
    shutil.rmtree(path.parent)
    path.parent.write_text("a file where the folder was")

    for number in range(3):
        file.write(f"line {number}")
    assert capsys.readouterr().out.count("can't be written") == 1

    path.parent.unlink()
    file.write("again")
    file.close()
    assert path.read_text() == "again\n"


def test_no_line_of_several_processes_is_lost_while_files_are_renamed(
    tmp_path: Path,
) -> None:
    logs = tmp_path / "logs"
    children = Children(folder=tmp_path, logs=logs)
    command = f'"{sys.executable}" -c "$SPEAK"'
    together = f"sh -c '{' & '.join([command] * _SPEAKERS)}; wait'"
    names = ("web", "worker")
    started = [
        children.start(name, together, os.environ | {"SPEAK": _SPEAK}) for name in names
    ]

    turn = 0
    while any(child.reader.is_alive() for child in started):
        turn += 1
        for name in names:
            if (path := logs / f"{name}.log").exists():
                path.rename(logs / f"{name}.log-{turn}")
        for child in started:
            child.reader.join(timeout=0.01)

    assert turn > 3
    kept = _kept(logs)
    assert len(kept) == len(set(kept)) == len(names) * _SPEAKERS * _LINES
    children.stop(last="", patience_s=5)


@pytest.mark.skipif(not shutil.which("logrotate"), reason="needs logrotate")
def test_the_shipped_file_makes_logrotate_keep_every_line(tmp_path: Path) -> None:
    shipped = (ROOT / "docs" / "logrotate.conf").read_text(encoding="utf-8")
    logs = tmp_path / "logs"
    logs.mkdir(mode=0o700)
    config = tmp_path / "logrotate.conf"
    config.write_text(shipped.replace("/srv/oracle-chat/var/logs", str(logs)))
    config.chmod(0o644)
    file = LogFile(logs / "web.log")
    file.write("before")

    state = tmp_path / "state"
    subprocess.run(["logrotate", "-f", "-s", state, config], check=True)
    file.write("after")
    file.close()

    new = logs / "web.log"
    assert new.read_text() == "after\n"
    assert new.stat().st_mode & 0o777 == 0o640
    (old,) = logs.glob("web.log-*")
    assert old.read_text() == "before\n"


def test_a_file_that_cannot_be_opened_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "web.log"
    path.mkdir()  # not even root may write there

    file = LogFile(path)
    file.write("lost")
    path.rmdir()
    file.write("kept")
    file.close()

    assert path.read_text() == "kept\n"
    assert "can't be written" in capsys.readouterr().out
