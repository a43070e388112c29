"""`manage.py rollout watch`: what ends the waiting, and with which code."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from flags.models import Rollout
from tests.flags.commands import refusal, run
from tests.flags.ordering import ramped

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"state": "rolled_back", "ended_at": "now"}, 3, "is taken back"),
        ({"state": "held", "state_since": "old"}, 2, "stands still"),
        ({"state": "paused", "state_since": "old"}, 2, "stands still"),
        ({"ticked_at": "old"}, 4, "nobody has looked at it for 10 min"),
        ({}, 1, "goes on: ramping at 20 %, phase 1 of 3: 5 min left, 0 of 3"),
    ],
)
def test_to_watch_ends_with_what_there_is_to_see(
    fields: dict[str, str], code: int, words: str
) -> None:
    ramped()
    now = timezone.now()
    moments = {"now": now, "old": now - timedelta(minutes=10)}
    Rollout.objects.update(**{k: moments.get(v, v) for k, v in fields.items()})

    assert words in refusal("rollout", "watch", "--timeout", "0", code=code)


def test_to_watch_a_complete_one_is_done() -> None:
    ramped()
    Rollout.objects.update(state="completed", percent=100, ended_at=timezone.now())

    assert run("rollout", "watch") == "completed at 100 %.\n"
    [line] = run("rollout", "watch", "--json").splitlines()
    assert json.loads(line)["state"] == "completed"


def test_to_watch_for_a_phase_ends_with_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ramped()

    def begun(seconds: float) -> None:
        assert seconds == 2
        Rollout.objects.update(phase_index=1, percent=50)

    monkeypatch.setattr("time.sleep", begun)

    told = run("rollout", "watch", "--until", "phase")

    first, second = told.splitlines()
    assert "phase 1 of 3" in first
    assert "phase 2 of 3" in second


@pytest.mark.parametrize("option", ["--every", "--timeout", "--held-for"])
@pytest.mark.parametrize("seconds", ["-1", "nan", "soon"])
def test_seconds_are_a_number_above_nothing(option: str, seconds: str) -> None:
    ramped()

    why = refusal("rollout", "watch", f"{option}={seconds}")

    assert "a number of seconds, 0 or more, is needed" in why
