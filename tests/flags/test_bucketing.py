"""Buckets are stable, even, and nobody else's."""

from collections import Counter

import pytest

from flags.bucketing import BUCKETS, bucket

_SUBJECTS = 100_000


def _buckets(flag_key: str, salt: str = "salt") -> list[int]:
    return [
        bucket(flag_key=flag_key, targeting_key=str(subject), salt=salt)
        for subject in range(_SUBJECTS)
    ]


@pytest.mark.parametrize(
    ("targeting_key", "expected"), [("1", 16), ("2", 5221), ("conversation:7", 8075)]
)
def test_a_subject_keeps_its_bucket_over_releases(
    targeting_key: str, expected: int
) -> None:
    place = bucket(
        flag_key="persistent_sessions", targeting_key=targeting_key, salt="salt"
    )

    assert place == expected


def test_buckets_are_filled_evenly() -> None:
    places = _buckets("persistent_sessions")

    cells = Counter(place // 100 for place in places)
    expected = _SUBJECTS / 100
    chi_square = sum((cells[cell] - expected) ** 2 / expected for cell in range(100))
    assert set(cells) == set(range(100))
    assert min(places) >= 0
    assert max(places) < BUCKETS
    assert chi_square < 149  # one in a thousand even deals is above, of 99 degrees


def test_two_flags_do_not_share_their_first_tenth() -> None:
    pairs = zip(_buckets("one"), _buckets("another"), strict=True)

    in_both = sum(
        one < BUCKETS / 10 and another < BUCKETS / 10 for one, another in pairs
    )

    assert in_both == pytest.approx(_SUBJECTS / 100, rel=0.1)  # three deviations


def test_a_new_salt_deals_anew() -> None:
    pairs = zip(_buckets("one", "old"), _buckets("one", "new"), strict=True)

    in_both = sum(old < BUCKETS / 10 and new < BUCKETS / 10 for old, new in pairs)

    assert in_both == pytest.approx(_SUBJECTS / 100, rel=0.1)


def test_where_a_name_ends_matters() -> None:
    places = {
        bucket(flag_key="ab", salt="c", targeting_key="d"),
        bucket(flag_key="a", salt="bc", targeting_key="d"),
        bucket(flag_key="ab", salt="", targeting_key="cd"),
    }

    assert len(places) == 3
