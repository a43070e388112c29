"""Texts become typed values, or an error that says what was expected."""

from decimal import Decimal

import pytest

from flags import values
from flags.errors import InvalidValue
from flags.values import Kind, Value

_PERCENT = values.decimal(minimum=0, maximum=100, places=2)
_COUNT = values.whole(minimum=1, maximum=10_000, unit="sessions")
_WORD = values.choice("history", "interactions")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("100", "100"),
        ("100.00", "100"),
        (" 12.50 ", "12.5"),
        ("0.01", "0.01"),
        ("99.990", "99.99"),
        (10, "10"),
        (Decimal("33.3"), "33.3"),
        (0.5, "0.5"),
    ],
)
def test_a_percent(raw: object, expected: str) -> None:
    value = values.read("P", _PERCENT, raw)

    assert value == Decimal(expected)
    assert values.write(value) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *("-1", "−1", "-0.01", "100.01", "101", "1e2", "1e400", "9" * 40),
        *("ten", "", " ", "NaN", "nan", "inf", "-inf", "Infinity", "0x10", "1_0"),
        *("10%", "1,5", "10.001", "٣", ".5", "5.", "1 0", "None"),
        *(None, True, [10], float("nan"), float("inf")),
    ],
)
def test_no_percent(raw: object) -> None:
    with pytest.raises(InvalidValue) as refused:
        values.read("PERCENT", _PERCENT, raw)

    assert str(refused.value) == (
        "PERCENT must be a number between 0 and 100 with at most 2 decimals, "
        f"not {str(raw).strip()!r}."
    )


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        (_COUNT, "1", 1),
        (_COUNT, "10000", 10_000),
        (_COUNT, "+7", 7),
        (values.flag(), "ON", True),
        (values.flag(), True, True),
        (values.flag(), "0", False),
        (values.flag(), "no", False),
        (_WORD, "history", "history"),
    ],
)
def test_other_values(kind: Kind, raw: object, expected: Value) -> None:
    assert values.read("NAME", kind, raw) == expected
    assert values.read("NAME", kind, values.write(expected)) == expected


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        (_COUNT, "0", "a whole number between 1 and 10,000 sessions, not '0'"),
        (_COUNT, "10001", "a whole number"),
        (_COUNT, "5.0", "a whole number"),
        (_COUNT, "1e3", "a whole number"),
        (_COUNT, "9" * 5000, f"not '{'9' * 40}…'"),
        (values.flag(), "maybe", "true or false, not 'maybe'"),
        (values.flag(), "", "true or false"),
        (_WORD, "History", "one of history, interactions, not 'History'"),
    ],
)
def test_what_is_refused_says_what_was_expected(
    kind: Kind, raw: object, words: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        values.read("NAME", kind, raw)

    assert words in str(refused.value)
    assert str(refused.value).startswith("NAME must be ")
