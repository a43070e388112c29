"""Counts that wait for a flush."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from monitoring import pending


@pytest.fixture(autouse=True)
def _nothing_waits() -> Iterator[None]:
    pending.take(is_counting=True)
    yield
    pending.take(is_counting=True)


def test_what_is_added_adds_up_and_is_taken_once() -> None:
    pending.add({"a": 1, "b": 2})
    pending.add({"a": 1})

    assert pending.is_stirred()
    assert pending.take(is_counting=True) == {"a": 2, "b": 2}
    assert pending.take(is_counting=True) == {}
    assert not pending.is_stirred()


def test_nothing_is_kept_while_nothing_is_counted() -> None:
    pending.add({"a": 1})

    assert pending.take(is_counting=False) == {}
    pending.add({"a": 1})
    assert not pending.is_on()
    assert pending.take(is_counting=True) == {}
    pending.add({"a": 1})
    assert pending.take(is_counting=True) == {"a": 1}


def test_a_process_that_counts_nothing_still_looks_whether_it_should() -> None:
    pending.take(is_counting=False)

    pending.stir()

    assert pending.is_stirred()


def test_threads_lose_nothing_of_each_other() -> None:
    def add(_: int) -> None:
        for _ in range(1000):
            pending.add({"a": 1})

    taken = 0
    with ThreadPoolExecutor(4) as threads:
        adding = threads.map(add, range(4))
        for _ in range(100):
            taken += pending.take(is_counting=True).get("a", 0)
        list(adding)

    assert taken + pending.take(is_counting=True).get("a", 0) == 4000


def test_what_is_counted_on_the_way_to_an_error_is_counted_by_its_repetition() -> None:
    for is_last in (False, True):
        with suppress(ValueError), pending.settled():
            pending.add({"a": 1})
            if not is_last:
                raise ValueError

    assert pending.take(is_counting=True) == {"a": 1}
