"""Series: names with labels, and the totals they are kept in."""

import pytest

from monitoring import series
from monitoring.series import Counter, Histogram

_COUNTER = Counter(name="oracle_test_total", help="", labels=("kind", "model"))
_SECONDS = Histogram(
    name="oracle_test_seconds", help="", bounds=(0.1, 1.0), labels=("kind",)
)
_TOKENS = Histogram(name="oracle_test_tokens", help="", bounds=(1.0, 4.0), per_unit=1)


@pytest.mark.parametrize("value", ["plain", 'a "b" {c}, d=e\\f\n', "é", ""])
def test_labels_come_back_as_they_were(value: str) -> None:
    [total] = _COUNTER.delta(value, "m")

    assert series.parsed(total) == ("oracle_test_total", {"kind": value, "model": "m"})


def test_a_total_of_its_own_name_is_no_series() -> None:
    assert series.parsed("sessions_created") is None


def test_a_counter_adds_one_or_what_is_said() -> None:
    assert list(_COUNTER.delta("a", "m").values()) == [1]
    assert list(_COUNTER.delta("a", "m", by=70).values()) == [70]


def test_a_label_too_few_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="zip"):
        _COUNTER.delta("a")


@pytest.mark.parametrize(
    ("value", "bound"),
    [(0, "0.1"), (0.1, "0.1"), (0.1001, "1.0"), (1, "1.0"), (1.5, "+Inf")],
)
def test_a_measurement_falls_into_the_first_bucket_that_holds_it(
    value: float, bound: str
) -> None:
    assert _SECONDS.delta(value, "a") == {
        f'oracle_test_seconds_bucket{{"kind":"a","le":"{bound}"}}': 1,
        'oracle_test_seconds_sum{"kind":"a"}': round(value * 1_000_000),
    }


def test_tokens_are_summed_as_they_are() -> None:
    assert _TOKENS.delta(1234) == {
        'oracle_test_tokens_bucket{"le":"+Inf"}': 1,
        "oracle_test_tokens_sum{}": 1234,
    }


def test_what_is_not_known_is_other() -> None:
    assert series.known("GET", {"GET", "POST"}) == "GET"
    assert series.known("BREW", {"GET", "POST"}) == "other"
