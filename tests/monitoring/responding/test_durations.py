"""Times of one incident and their means; what was not reached is None."""

from datetime import timedelta

import pytest

from monitoring.responding import durations
from monitoring.responding.durations import Means, Times
from tests.monitoring.responding import making
from tests.monitoring.responding.making import NOON

MINUTE = timedelta(minutes=1)


@pytest.mark.django_db
def test_what_was_not_reached_is_none() -> None:
    incident = making.incident()

    assert durations.of(incident) == Times(300, None, None)


@pytest.mark.django_db
def test_the_times_of_one_that_has_ended() -> None:
    incident = making.incident(
        acknowledged_at=NOON + 7 * MINUTE,
        resolved_at=NOON + 60 * MINUTE,
        status="resolved",
    )

    assert durations.of(incident) == Times(300, 120, 3600)


@pytest.mark.django_db
def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    incident = making.incident(detected_at=NOON - MINUTE)

    assert durations.of(incident).detect_s == 0


@pytest.mark.django_db
def test_means_are_of_those_who_got_there_in_ninety_days() -> None:
    end = {"status": "resolved", "resolved_at": NOON + 60 * MINUTE}
    making.incident(**end)
    making.incident(detected_at=NOON + 15 * MINUTE)
    making.incident(detected_at=NOON - timedelta(days=100), **end)

    means = durations.means(NOON + timedelta(days=1))

    assert means == Means(2, 1, Times(600, None, 3600))


@pytest.mark.django_db
def test_without_incidents_there_is_no_data() -> None:
    assert durations.means(NOON) == Means(0, 0, Times(None, None, None))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "no data"),
        (0, "0 s"),
        (59.6, "1 min"),
        (90, "1 min 30 s"),
        (3900, "1 h 5 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations_in_words(seconds: float | None, words: str) -> None:
    assert durations.words(seconds) == words
