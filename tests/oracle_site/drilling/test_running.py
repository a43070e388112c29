"""A real drill: processes, HTTP, a fault in treatment only, and a rollback."""

import os
from pathlib import Path

import psutil
import pytest

from flags.drills import Fault
from oracle_site.drilling import copies, faults, running


@pytest.mark.timeout(300)
def test_errors_in_treatment_only_are_rolled_back_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    steps: list[str] = []

    result = running.run(Fault("errors", 0.5), steps.append)

    assert result.is_green, (result, steps)
    assert result.decided_s is not None
    assert result.decided_s < 90
    assert result.begun_s is not None
    assert result.begun_s < 5
    assert [each["action"] for each in result.detail["decisions"]][-2:] == [
        "roll_back",
        "confirm",
    ]
    assert list(tmp_path.iterdir()) == []
    children = psutil.Process().children(recursive=True)
    assert [each for each in children if str(tmp_path) in str(each.environ())] == []


def test_a_copy_knows_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://real/one")
    monkeypatch.setenv("GEMINI_API_KEY", "a real key")
    monkeypatch.setenv("ORACLE_ENV_FILE", str(tmp_path / "real.env"))

    copy = copies._made(tmp_path, workers=1)

    assert "DATABASE_URL" not in copy.env
    assert copy.env["GEMINI_API_KEY"] == "local"
    assert copy.env["ORACLE_ENV_FILE"] == os.devnull
    assert copy.env["ORACLE_DATA_DIR"] == str(tmp_path)


@pytest.mark.parametrize(
    ("fault", "is_taken_back"),
    [("errors=0.5", True), ("latency=3x", True), ("db", True), ("nodata", False)],
)
def test_what_must_become_of_it_depends_on_the_fault(
    fault: str, *, is_taken_back: bool
) -> None:
    course = faults.course(Fault.of(fault))

    assert course.must_stay is not is_taken_back
    assert [phase.dwell_s for phase in course.plan.phases] == [30, 30, 30]
