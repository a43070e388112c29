"""Pictures that are well-formed and say in words what they show."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import inf, nan

import pytest
from django.template import Context, Template

from monitoring import charts
from monitoring.charts import Axes, Limit, Mark, Series, Svg, Words

BEGIN = datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
HOSTILE = "<script>alert('\"&')</script>\x00\ud800 ]]> – \u202e"
WORDS = Words(key="turns", title="Turns", desc="12 turns in the hour.", unit="turns")


def _times(count: int, step: timedelta = timedelta(minutes=1)) -> list[datetime]:
    return [BEGIN + each * step for each in range(count)]


def _read(picture: str) -> ET.Element:
    """Read a picture as XML, which a slip in its markup would not survive."""
    return ET.fromstring(picture)


def _all(picture: str, mark: str) -> list[ET.Element]:
    """Return every element of this class, in order."""
    return [e for e in _read(picture).iter() if mark in e.get("class", "").split()]


def _line(*series: Sequence[float | None], words: Words = WORDS, **axes: object) -> Svg:
    given = [Series(f"s{number}", values) for number, values in enumerate(series)]
    return charts.line(words, given, Axes(times=_times(len(series[0])), **axes))  # type: ignore[arg-type]


def _bars(*series: list[float | None], words: Words = WORDS) -> Svg:
    given = [Series(f"s{number}", values) for number, values in enumerate(series)]
    times = _times(len(series[0]))
    return charts.bars(words, given, times=times, end=BEGIN + timedelta(hours=1))


def _strip(states: list[str | None], words: Words = WORDS) -> Svg:
    return charts.strip(
        words, states, times=_times(len(states)), end=BEGIN + timedelta(hours=1)
    )


# --- For everybody --------------------------------------------------------------------

DRAWINGS: list[Callable[[Words], Svg]] = [
    lambda words: _line([1.0, None, 3.0], words=words),
    lambda words: _line([1.0, 10.0], words=words, is_log=True),
    lambda words: _bars([1.0, None, 3.0], [1.0, 2.0, None], words=words),
    lambda words: _strip(["healthy", None, "unhealthy"], words=words),
]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_a_screen_reader_hears_title_and_sentence(draw: Callable[[Words], Svg]) -> None:
    picture = _read(draw(WORDS))

    assert picture.get("role") == "img"
    assert picture.get("aria-labelledby") == "turns-title turns-desc"
    assert picture.find("title[@id='turns-title']").text == "Turns"  # type: ignore[union-attr]
    assert picture.find("desc[@id='turns-desc']").text == WORDS.desc  # type: ignore[union-attr]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_hostile_words_stay_words(draw: Callable[[Words], Svg]) -> None:
    words = Words(key="k", title=HOSTILE, desc=HOSTILE, unit=HOSTILE)

    picture = draw(words)

    assert "<script" not in picture
    assert "<script>alert" in "".join(_read(picture).itertext())


def test_hostile_labels_stay_labels() -> None:
    picture = charts.line(
        WORDS,
        [Series(HOSTILE, [1.0, 2.0])],
        Axes(times=_times(2)),
        limit=Limit(2, HOSTILE),
        marks=[Mark(BEGIN, HOSTILE)],
    )
    named = charts.legend([HOSTILE]) + charts.sparkline([1.0], title=HOSTILE)

    assert "<script" not in picture + named
    _read(picture)
    _read(f"<div>{named}</div>")


@pytest.mark.parametrize("draw", DRAWINGS)
def test_nothing_breaks_the_content_policy(draw: Callable[[Words], Svg]) -> None:
    attributes = {name for e in _read(draw(WORDS)).iter() for name in e.attrib}

    assert "style" not in attributes
    assert not {name for name in attributes if name.startswith("on")}


def test_a_template_takes_it_as_it_is_and_nothing_else() -> None:
    page = Template("{{ picture }}{{ text }}")

    shown = page.render(Context({"picture": _line([1.0, 2.0]), "text": "<svg>"}))

    assert shown.startswith("<svg ")
    assert shown.endswith("&lt;svg&gt;")


def test_a_key_that_is_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'1 key' can't be a chart's key"):
        Words(key="1 key", title="", desc="")


# --- Lines ----------------------------------------------------------------------------


def test_a_line_goes_from_the_left_bottom_to_the_right_top() -> None:
    line = _all(_line([0.0, 1.0, 2.0]), "chart-line-1")[0]

    assert line.get("d") == "M54 184L260 104L466 24"


def test_no_data_is_a_gap_and_never_a_zero() -> None:
    picture = _line([1.0, 2.0, None, 4.0, 4.0, None, 3.0])

    assert _all(picture, "chart-line-1")[0].get("d", "").count("M") == 2
    assert len(_all(picture, "chart-marker")) == 1


def test_a_value_between_two_gaps_is_seen() -> None:
    assert len(_all(_line([1.0, None, 2.0, None, 3.0, 3.0]), "chart-marker")) == 3


@pytest.mark.parametrize("nothing", [None, nan, inf, -inf])
def test_what_is_no_number_is_no_data(nothing: float | None) -> None:
    picture = _line([nothing, nothing])

    assert [e.text for e in _all(picture, "chart-none")] == ["no data"]
    assert _all(picture, "chart-line") == []


def test_no_times_are_no_data() -> None:
    assert _all(_line([]), "chart-none")
    assert _all(_bars([]), "chart-none")
    assert _all(_strip([]), "chart-none")
    assert _read(charts.sparkline([], title="Nothing"))


def test_series_differ_by_more_than_colour() -> None:
    picture = _line([1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0])

    shapes = {e.get("d", "").partition("m")[2] for e in _all(picture, "chart-marker")}
    assert len(shapes) == 4


def test_more_than_four_series_are_refused() -> None:
    with pytest.raises(ValueError, match="4 series at most, not 5"):
        _line(*[[1.0]] * 5)


def test_a_value_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="'turns' has 1 values for 2 times"):
        charts.line(WORDS, [Series("turns", [1.0])], Axes(times=_times(2)))


def test_a_logarithmic_axis_has_a_line_for_each_decade() -> None:
    picture = charts.line(
        WORDS,
        [Series("e", [0.5, 3.0, 40.0])],
        Axes(times=_times(3), is_log=True),
        limit=Limit(100, "evidence"),
        marks=[Mark(BEGIN + timedelta(minutes=1), "10 %")],
    )

    labels = [e.text for e in _all(picture, "chart-tick")]
    assert labels[:4] == ["0.1", "1", "10", "100"]
    assert _all(picture, "chart-limit-label")[0].text == "evidence"
    assert _all(picture, "chart-mark-label")[0].text == "10 %"


def test_long_times_are_in_seconds() -> None:
    words = Words(key="k", title="Answers", desc="", unit="ms")

    picture = _line([10_000.0, 40_000.0], words=words)

    assert [e.text for e in _all(picture, "chart-unit")] == ["s"]
    assert "40" in [e.text for e in _all(picture, "chart-tick")]


# --- Bars and strips ------------------------------------------------------------------


def test_bars_stand_on_each_other() -> None:
    low, high = (
        _all(_bars([1.0], [3.0]), f"chart-bar-{number}")[0] for number in (1, 2)
    )

    foot = float(high.get("y", "")) + float(high.get("height", ""))
    assert foot == pytest.approx(float(low.get("y", "")))
    assert float(high.get("height", "")) == 3 * float(low.get("height", ""))


def test_stacks_are_hatched_beside_their_colours() -> None:
    picture = _bars([1.0], [1.0])

    hatched = [e.get("fill") for e in _read(picture).iter() if e.get("fill")]
    assert "url(#turns-hatch-2)" in hatched
    assert _read(picture).find("defs/pattern[@id='turns-hatch-2']") is not None


def test_neighbours_of_one_state_are_one_block() -> None:
    picture = _strip(["healthy"] * 20 + ["unhealthy"] + [None] * 9 + ["degraded"])

    blocks = _all(picture, "chart-state")
    assert [e.get("class", "").split()[-1] for e in blocks] == [
        *("chart-healthy", "chart-unhealthy", "chart-degraded")
    ]
    heights = [float(e.get("height", "")) for e in blocks]
    assert heights[0] < heights[2] < heights[1]


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="are no states; expected are healthy"):
        _strip(["fine"])


def test_a_sparkline_shows_gaps_too() -> None:
    picture = charts.sparkline([1.0, 2.0, None, 3.0], title="Turns")

    assert _all(picture, "sparkline-line")[0].get("d", "").count("M") == 2


def test_the_states_of_a_strip_are_explained() -> None:
    told = _read(charts.states())

    assert ["".join(item.itertext()) for item in told] == [
        *("healthy", "degraded", "unhealthy")
    ]
