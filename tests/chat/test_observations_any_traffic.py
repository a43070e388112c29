"""Any traffic is told as it is counted by hand, at any length, in few statements."""

from dataclasses import asdict

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.chat.counted_by_hand import ByHand, all_counts
from tests.chat.observed import (
    MIDNIGHT,
    NOON,
    STEP,
    both,
    traffic,
    windows,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", [1, 2])
def test_any_traffic_is_counted_as_by_hand(seed: int) -> None:
    traffic(seed, begin=MIDNIGHT, seconds=300, turns=400)
    begins = [MIDNIGHT + number * STEP for number in range(-7, 10)]

    found = windows(len(begins), begin=begins[0])

    by_hand = ByHand()
    for begin, arms in zip(begins, found, strict=True):
        for variant, counts in arms.items():
            expected = asdict(all_counts(by_hand.window(begin, variant)))
            assert asdict(counts) == pytest.approx(expected), (begin, variant)
    everything = [counts for arms in found for counts in arms.values()]
    assert sum(each.error_count for each in everything) > 5
    assert sum(each.slow_count for each in everything) > 5


def test_one_window_after_the_other_makes_the_same_as_all_at_once() -> None:
    traffic(3, begin=MIDNIGHT, seconds=300, turns=300)
    begins = [MIDNIGHT + number * STEP for number in range(-10, 10)]

    at_once = windows(len(begins), begin=begins[0])

    assert at_once == [both(begin) for begin in begins]


@pytest.mark.parametrize("turns", [20, 200])
@pytest.mark.parametrize("count", [1, 100])
def test_the_number_of_statements_depends_on_nothing(turns: int, count: int) -> None:
    traffic(4, begin=NOON, seconds=25, turns=turns)

    with CaptureQueriesContext(connection) as statements:
        windows(count)

    assert len(statements) == 4


def test_what_is_of_a_window_is_found_by_the_index_of_time() -> None:
    traffic(5, begin=NOON, seconds=60, turns=20)
    with CaptureQueriesContext(connection) as statements:
        windows(1)

    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL scans a table as small as this one")
    plans = []
    with connection.cursor() as cursor:
        for each in statements.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {each['sql']}")
            plans.append(" ".join(row[3] for row in cursor.fetchall()))
    window, earlier, ratings, drawn = plans
    assert "generation_time" in window
    assert "generation_time" in drawn
    assert "conversation_id" in earlier
    assert "rating_time" in ratings
    assert not any("SCAN chat_" in plan for plan in plans)
