"""`manage.py rollout start`: what is so already, what is refused, what is foreseen."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flags.models import Rollout
from tests.flags.commands import refusal, run, run_json

pytestmark = pytest.mark.django_db

_START = ("rollout", "start", "--plan", "guide", "--without-drill", "--reason", "Go.")


def test_a_dry_run_refuses_what_would_be_refused() -> None:
    past = (*_START, "--at", "2020-01-01T08:00")

    assert refusal(*past, "--dry-run") == refusal(*past)
    assert not Rollout.objects.exists()


def test_one_that_is_being_taken_back_is_not_started_already() -> None:
    run(*_START)
    run("rollout", "rollback", "--reason", "No.")

    assert "under way already" in refusal(*_START)


def test_one_that_begins_at_another_time_is_not_what_was_asked_for() -> None:
    day, other_day = (
        f"{timezone.now() + timedelta(days=days):%Y-%m-%d}" for days in (30, 31)
    )
    later = (*_START, "--at", f"{day}T08:00")
    run(*later)

    again = run(*later)

    assert f"armed at 0 %, to begin at {day} 08:00 UTC." in again
    assert "nothing was changed" in again
    assert run_json(*later)["is_new"] is False
    for other in (_START, (*_START, "--at", f"{other_day}T08:00")):
        assert "under way already" in refusal(*other)
