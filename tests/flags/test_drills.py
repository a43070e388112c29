"""A drill is run by whoever can, and kept however it ended."""

from collections.abc import Iterator
from typing import Any

import pytest

from flags import drills
from flags.changes import Actor
from flags.drills import Fault, Result, Say
from flags.errors import DrillBroken
from flags.models import Change, Drill

pytestmark = pytest.mark.django_db
ALICE = Actor("alice", Change.Channel.COMMAND)


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    usual = list(drills._runners)
    yield
    drills._runners[:] = usual


def _ending(**fields: Any) -> None:
    def run(fault: Fault, say: Say) -> Result:
        say(f"{fault} is drilled.")
        return Result(**fields)

    drills.register(run)


def test_one_that_was_passed_is_kept_as_green_with_its_times() -> None:
    _ending(
        is_green=True,
        sentence="Well.",
        decided_s=8.0,
        begun_s=-0.1,
        served_s=0.5,
        detail={"turns": 3},
    )
    heard: list[str] = []

    drill = drills.run(Fault("errors", 0.5), actor=ALICE, say=heard.append)

    drill.refresh_from_db()
    assert (drill.fault, drill.is_green, drill.seconds) == ("errors=0.5", True, 8.5)
    assert drill.created_by == "alice"
    assert drill.ended_at is not None
    assert drill.detail["sentence"] == "Well."
    assert (drill.detail["begun_s"], drill.detail["turns"]) == (-0.1, 3)
    assert heard == ["errors=0.5 is drilled."]


def test_one_that_failed_is_kept_as_red() -> None:
    _ending(is_green=False, sentence="Nothing was done.")

    drill = drills.run(Fault("db"), actor=ALICE, say=print)

    assert (drill.is_green, drill.seconds) == (False, None)


def test_one_that_broke_off_is_red_and_says_why() -> None:
    def run(fault: Fault, say: Say) -> Result:
        raise DrillBroken("It did not start.")

    drills.register(run)

    with pytest.raises(DrillBroken):
        drills.run(Fault("nodata"), actor=ALICE, say=print)

    drill = Drill.objects.get()
    assert (drill.is_green, drill.ended_at is None) == (False, False)
    assert "It did not start." in drill.detail["sentence"]


def test_without_anybody_who_can_there_is_none() -> None:
    drills._runners.clear()

    with pytest.raises(DrillBroken):
        drills.run(Fault("nodata"), actor=ALICE, say=print)

    assert not Drill.objects.exists()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("errors=0.5", Fault("errors", 0.5)),
        ("errors=1", Fault("errors", 1.0)),
        ("latency=3x", Fault("latency", 3.0)),
        ("nodata", Fault("nodata")),
        ("db", Fault("db")),
        ("beat-stop", Fault("beat-stop")),
    ],
)
def test_faults_are_read_and_written_alike(text: str, fault: Fault) -> None:
    assert Fault.of(text) == fault
    assert str(fault) == text


@pytest.mark.parametrize(
    "text", ["", "errors", "errors=0", "errors=0.0", "errors=2", "latency=1x", "fire"]
)
def test_what_is_no_fault_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(ValueError, match="is no fault to drill"):
        Fault.of(text)
