"""The numbers and moments beside a chart: round, few, and true."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.charts import moments, numbers
from monitoring.charts.scale import linear, logarithmic

BEGIN = datetime(2026, 11, 26, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([], [0, 1]),
        ([0.0], [0, 1]),
        ([1.0], [0, 1]),
        ([7.0], [0, 2, 4, 6, 8]),
        ([0.3], [0, 0.1, 0.2, 0.3]),
        ([99.5], [0, 25, 50, 75, 100]),
        ([1234.0], [0, 500, 1000, 1500]),
        ([-3.0, 4.0], [-4, -2, 0, 2, 4]),
    ],
)
def test_ticks_are_round_and_cover_all_values(
    values: list[float], ticks: list[float]
) -> None:
    assert list(linear(values).ticks) == ticks


@pytest.mark.parametrize("values", [[1e-300, 1e300], [1e-308], [1e308]])
def test_extreme_values_get_few_ticks(values: list[float]) -> None:
    for scale in (linear(values), logarithmic(values)):
        assert 2 <= len(scale.ticks) <= 7
        assert 0 <= scale.share(values[0]) <= 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        *((0.0, "0"), (0.25, "0.25"), (0.00012, "0.00012"), (1200.0, "1,200")),
        *((9999.0, "9,999"), (12_000.0, "12k"), (3.5e6, "3.5M"), (2e9, "2B")),
    ],
)
def test_numbers_are_short(value: float, words: str) -> None:
    assert numbers.short(value) == words


@pytest.mark.parametrize(
    ("span", "labels"),
    [
        (timedelta(hours=1), ["13:00", "13:10", "13:20", "13:30", "13:40"]),
        (timedelta(days=1), ["18:00", "27 Nov", "06:00", "12:00"]),
        (timedelta(days=7), ["27 Nov", "29 Nov", "1 Dec"]),
        (timedelta(days=400), ["19 Jan"]),
    ],
)
def test_moments_are_round(span: timedelta, labels: list[str]) -> None:
    told = [label for _, label in moments.ticks(BEGIN, BEGIN + span)]

    assert told[: len(labels)] == labels
    assert len(told) <= 7
