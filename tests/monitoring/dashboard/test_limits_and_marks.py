"""Limits and marks on a chart: their words can be read and say what the axis says."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

from monitoring import charts
from monitoring.charts import Axes, Limit, Mark, Series, Words

BEGIN = datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
WORDS = Words(key="turns", title="Turns", desc="12 turns in the hour.", unit="turns")


def _times(count: int) -> list[datetime]:
    return [BEGIN + timedelta(minutes=each) for each in range(count)]


def _all(picture: str, mark: str) -> list[ET.Element]:
    """Return every element of this class, in order."""
    found = ET.fromstring(picture).iter()
    return [e for e in found if mark in e.get("class", "").split()]


def test_a_limit_stands_at_its_value() -> None:
    picture = charts.line(
        WORDS,
        [Series("p95", [1000.0, 4000.0])],
        Axes(times=_times(2)),
        limit=Limit(2000, "limit 2,000 ms"),
    )

    assert _all(picture, "chart-limit")[0].get("d") == "M54 104H466"
    assert _all(picture, "chart-limit-label")[0].text == "limit 2,000 ms"
    assert picture.rindex("chart-line-1") < picture.index("chart-limit-label")


@pytest.mark.parametrize(
    ("highest", "told"),
    [(8_000.0, "alert at 3,000\u00a0ms"), (12e3, "alert at 3\u00a0s")],
)
def test_a_limit_is_told_in_the_unit_of_the_axis(highest: float, told: str) -> None:
    picture = charts.line(
        Words(key="k", title="Answers", desc="", unit="ms"),
        [Series("p95", [1000.0, highest])],
        Axes(times=_times(2)),
        limit=Limit(3000, "alert at {value}"),
    )

    assert _all(picture, "chart-limit-label")[0].text == told


def test_a_limit_far_above_does_not_flatten_the_line() -> None:
    picture = charts.line(
        WORDS, [Series("p95", [1.0])], Axes(times=_times(1)), limit=Limit(3000, "limit")
    )

    assert _all(picture, "chart-limit") == []


def test_marks_that_are_close_do_not_hide_each_other() -> None:
    marks = [Mark(at, "10 %") for at in _times(3)]

    picture = charts.line(
        WORDS,
        [Series("e", [1.0] * 60)],
        Axes(times=_times(60)),
        marks=marks,
    )

    heights = {e.get("y") for e in _all(picture, "chart-mark-label")}
    assert len(heights) == 3


def test_a_mark_at_the_edge_stands_on_the_left_of_its_line() -> None:
    picture = charts.line(
        WORDS,
        [Series("e", [1.0] * 60)],
        Axes(times=_times(60)),
        marks=[Mark(_times(60)[at], "50 %") for at in (0, 55, 56, 57, 58)],
    )

    anchors = [e.get("text-anchor") for e in _all(picture, "chart-mark-label")]
    assert anchors == ["start", *["end"] * 4]
    heights = [e.get("y") for e in _all(picture, "chart-mark-label")]
    assert len(set(heights[1:])) == 4
    assert picture.rindex('"chart-mark"') < picture.index('"chart-mark-label"')
