"""Single times, summarised as the textbooks have it."""

import random
import statistics

import pytest

from monitoring.facts import SessionTurns, Timing, Turns, percentile

_RANDOM = random.Random(4)
_SERIES = [
    [5.0, 7.0],
    [3.0, 3.0, 3.0],
    [float(number) for number in range(100)],
    [_RANDOM.expovariate(0.01) for _ in range(997)],
]


@pytest.mark.parametrize("times_ms", _SERIES, ids=len)
def test_percentiles_are_those_of_the_standard_library(times_ms: list[float]) -> None:
    shuffled = _RANDOM.sample(times_ms, len(times_ms))

    timing = Timing.of(shuffled)

    cuts = statistics.quantiles(times_ms, n=100, method="inclusive")
    assert timing.p50_ms == pytest.approx(cuts[49])
    assert timing.p95_ms == pytest.approx(cuts[94])
    assert timing.p99_ms == pytest.approx(cuts[98])


@pytest.mark.parametrize("times_ms", _SERIES, ids=len)
def test_the_rest_of_a_summary_is_exact(times_ms: list[float]) -> None:
    timing = Timing.of(times_ms)

    assert timing.count == len(times_ms)
    assert timing.avg_ms == pytest.approx(statistics.fmean(times_ms))
    assert (timing.min_ms, timing.max_ms) == (min(times_ms), max(times_ms))


def test_a_single_time_is_all_of_its_percentiles() -> None:
    assert Timing.of([4.5]) == Timing(1, 4.5, 4.5, 4.5, 4.5, 4.5, 4.5)


def test_of_nothing_there_is_a_count_and_no_time() -> None:
    assert Timing.of([]) == Timing(0, None, None, None, None, None, None)


def test_a_percentile_between_two_numbers_lies_between_them() -> None:
    assert percentile([10.0, 20.0], 0.25) == 12.5
    assert percentile([10.0, 20.0], 0.0) == 10.0
    assert percentile([10.0, 20.0], 1.0) == 20.0


def test_errors_add_up_over_their_codes() -> None:
    turns = Turns(Timing(), count=9, errors_by_code={"GEMINI_TIMEOUT": 2, "X": 3})

    assert turns.error_count == 5


def test_turns_that_had_a_session_to_find_are_counted_without_first_ones() -> None:
    turns = SessionTurns(hit=1, topped_up=2, recovered=4, stateless=8)

    assert turns.valid == 15
