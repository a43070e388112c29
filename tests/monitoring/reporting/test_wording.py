"""Figures and changes in words."""

import pytest

from monitoring.reporting import wording


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ms", "no data"),
        (0, "", "0"),
        (1234567, "", "1,234,567"),
        (3.14159, "ms", "3.14 ms"),
        (1234.5, "ms", "1,234 ms"),
        (0.5, "ratio", "50 %"),
        (0.123456, "ratio", "12.3 %"),
        (0.00123, "ratio", "0.12 %"),
        (0, "ratio", "0 %"),
        (90.5, "percent", "90.5 %"),
        (12.5, "usd", "$12.50"),
        (0.000123, "usd", "$0.00012"),
        (0.00008, "usd", "$0.00008"),
        (0, "usd", "$0.00"),
        (21.375, "gb", "21.4 GB"),
        (427.4, "ms", "427 ms"),
        (100, "ratio", "10,000 %"),
    ],
)
def test_a_figure_is_shown_with_its_unit(
    value: float | None, unit: str, text: str
) -> None:
    assert wording.shown(value, unit) == text


@pytest.mark.parametrize(
    ("value", "before", "unit", "text"),
    [
        (112, 100, "", "+12 %"),
        (50, 100, "ms", "−50 %"),
        (1000.4, 1000, "ms", "about as before"),
        (1005, 1000, "ms", "+0.5 %"),
        (5, 0, "", "none before"),
        (0, 5, "", "−100 %"),
        (0, 0, "", "as before"),
        (100000, 1, "", "+9,999,900 %"),
        (0.15, 0.118, "ratio", "+3.2 points"),
        (0.118, 0.15, "ratio", "−3.2 points"),
        (0.3, 0, "ratio", "+30.0 points"),
        (91, 90, "percent", "+1.0 points"),
        (None, 5, "", "no data"),
        (5, None, "", "no data before"),
        (None, None, "", "no data"),
    ],
)
def test_a_change_is_said_in_words(
    value: float | None, before: float | None, unit: str, text: str
) -> None:
    assert wording.change(value, before, unit) == text
