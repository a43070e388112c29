"""`manage.py rollout kill` where a rollout waits, and the flag is off anyway."""

import pytest

from flags.models import Rollout
from flags.situation import State
from tests.flags.commands import run, run_json
from tests.flags.ordering import placed

pytestmark = pytest.mark.django_db


def test_it_says_that_it_ends_a_rollout_that_waits() -> None:
    rollout = placed(State.ARMED)

    foreseen = run("rollout", "kill", "--dry-run")
    assert Rollout.objects.get().state == State.ARMED
    told = run("rollout", "kill")

    end = f"Rollout {rollout.pk}: it"
    assert foreseen == f"It is off already.\n{end} would end with this.\n"
    assert told == f"It is off already.\n{end} ends with this.\n"
    assert run("rollout", "kill") == "It is off already: nothing was changed.\n"


def test_programs_hear_which_rollout_it_ends() -> None:
    rollout = placed(State.RAMPING)

    foreseen = run_json("rollout", "kill", "--dry-run")
    done = run_json("rollout", "kill")
    again = run_json("rollout", "kill")

    ended = [each["rollout_ended"] for each in (foreseen, done, again)]
    assert ended == [rollout.pk, rollout.pk, None]
    assert [len(each["changes"]) for each in (foreseen, done, again)] == [1, 1, 0]
