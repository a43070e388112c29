"""Totals of which no addition is lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from monitoring import metrics


@pytest.mark.django_db
def test_additions_add_up() -> None:
    metrics.count(hits=2, misses=1)
    metrics.count(hits=3)

    assert metrics.totals("hits", "misses") == {"hits": 5, "misses": 1}


@pytest.mark.django_db
def test_what_was_never_counted_is_none_and_not_zero() -> None:
    metrics.count(hits=0)

    assert metrics.totals("hits", "misses") == {"hits": 0, "misses": None}


@pytest.mark.django_db
def test_all_names_are_added_in_one_statement_in_sorted_order() -> None:
    with CaptureQueriesContext(connection) as queries:
        metrics.count(misses=1, hits=2, errors=3)

    (query,) = [q["sql"] for q in queries if "monitoring_total" in q["sql"]]
    assert query.index("errors") < query.index("hits") < query.index("misses")


@pytest.mark.django_db
def test_counting_nothing_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        metrics.count()

    assert len(queries) == 0


@pytest.mark.django_db
def test_a_transaction_that_is_undone_counted_nothing() -> None:
    with transaction.atomic():
        metrics.count(hits=1)
        transaction.set_rollback(True)

    assert metrics.totals("hits") == {"hits": None}


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_lose_nothing() -> None:
    def add(_: int) -> None:
        for number in range(25):
            names = ("hits", "misses") if number % 2 else ("misses", "hits")
            metrics.count(**dict.fromkeys(names, 1))

    def work(number: int) -> None:
        try:
            add(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))

    assert metrics.totals("hits", "misses") == {"hits": 100, "misses": 100}


@pytest.mark.django_db
def test_what_is_gathered_is_one_statement_at_the_end() -> None:
    with CaptureQueriesContext(connection) as queries, metrics.gathering():
        metrics.count(misses=1)
        metrics.count(hits=2, misses=1)
        assert len(queries) == 0

    assert len(queries) == 1
    assert metrics.totals("hits", "misses") == {"hits": 2, "misses": 2}


@pytest.mark.django_db
def test_a_part_that_fails_is_not_counted_and_the_others_are() -> None:
    def count_and_fail() -> None:
        with metrics.gathering():
            metrics.count(hits=10)
            raise ValueError

    with metrics.gathering():
        metrics.count(hits=1)
        with pytest.raises(ValueError):  # noqa: PT011 - our own, from just above
            count_and_fail()
        with metrics.gathering():
            metrics.count(hits=100)

    assert metrics.totals("hits") == {"hits": 101}
