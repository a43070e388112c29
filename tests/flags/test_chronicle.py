"""The timeline of an incident hears of every change that somebody made."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flags import changes, chronicle
from monitoring.registry import Event
from tests.flags.operators import ALICE, BOB

pytestmark = pytest.mark.django_db

ON_AT_50 = {"USE_PERSISTENT_SESSIONS": True, "GRADUAL_ROLLOUT_PERCENTAGE": 50}


def _told() -> list[Event]:
    now = timezone.now()
    told = chronicle.changes(now - timedelta(minutes=1), now + timedelta(minutes=1))
    return sorted(told, key=lambda event: event.at)


def test_the_values_of_the_first_start_are_no_news() -> None:
    assert _told() == []


def test_a_change_is_told_with_who_and_why() -> None:
    changes.apply({"CLEANUP_INTERVAL": 120}, actor=BOB, reason="Too many leftovers")

    [event] = _told()

    assert event.text.replace("\u00a0", " ") == (
        "CLEANUP_INTERVAL 300 seconds (5 minutes) → 120 seconds (2 minutes): "
        "Too many leftovers"
    )
    assert (event.actor, event.kind, event.rollback) == ("bob", "setting", None)


def test_only_what_takes_the_feature_from_somebody_is_a_rollback() -> None:
    changes.apply(ON_AT_50, actor=ALICE, reason="Go")
    changes.apply({"GRADUAL_ROLLOUT_PERCENTAGE": 25}, actor=ALICE, reason="Half of it")
    changes.apply({"GRADUAL_ROLLOUT_PERCENTAGE": 0}, actor=ALICE, reason="All of it")
    changes.kill(actor=ALICE)

    extents = [event.rollback and event.rollback.extent for event in _told()]

    assert extents == [None, None, "PARTIAL", "FEATURE", "FEATURE"]


def test_what_was_before_and_after_is_left_out() -> None:
    changes.apply(ON_AT_50, actor=ALICE, reason="Go")
    now = timezone.now()

    assert list(chronicle.changes(now + timedelta(seconds=1), now)) == []
    assert list(chronicle.changes(now - timedelta(hours=2), now - timedelta(1))) == []
