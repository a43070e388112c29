"""`manage.py rollout drill`: what it prints, and its exit codes."""

import io
import json
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from flags import drills
from flags.drills import Fault, Result, Say

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    usual = list(drills._runners)
    yield
    drills._runners[:] = usual


def _ending(*, is_green: bool) -> None:
    def run(fault: Fault, say: Say) -> Result:
        say("The fault is in.")
        return Result(is_green=is_green, sentence=f"{fault} was seen.", decided_s=9.0)

    drills.register(run)


def test_a_green_one_says_so_and_tells_its_steps_meanwhile() -> None:
    _ending(is_green=True)
    out, steps = io.StringIO(), io.StringIO()

    call_command("rollout", "drill", "--fault", "latency=3x", stdout=out, stderr=steps)

    assert out.getvalue() == "Green: latency=3x was seen.\n"
    assert "The fault is in." in steps.getvalue()


def test_a_red_one_is_an_error_after_what_is_known_was_printed() -> None:
    _ending(is_green=False)
    out = io.StringIO()

    with pytest.raises(CommandError, match="not passed"):
        call_command("rollout", "drill", "--json", stdout=out, stderr=io.StringIO())

    told = json.loads(out.getvalue())
    assert (told["fault"], told["is_green"]) == ("errors=0.5", False)
    assert told["decided_s"] == 9
    assert told["seconds"] is None
