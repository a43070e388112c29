"""Which deadline counts when."""

import pytest

from chat.deadlines import END_GRACE_S, Deadlines, missed

DEADLINES = Deadlines(first_text_at=130.0, total_at=400.0, idle_s=20.0)


@pytest.mark.parametrize(
    ("now", "has_begun", "has_ended", "expected"),
    [
        (100.0, False, False, (130.0, "first_text_deadline")),
        (125.0, False, False, (130.0, "first_text_deadline")),
        (125.0, True, False, (145.0, "idle_deadline")),
        (390.0, True, False, (400.0, "total_deadline")),
        (390.0, True, True, (390.0 + END_GRACE_S, "end")),
    ],
)
def test_the_nearest_deadline_counts(
    *, now: float, has_begun: bool, has_ended: bool, expected: tuple[float, str]
) -> None:
    found = DEADLINES.next(now, has_begun=has_begun, has_ended=has_ended)

    assert found == expected


def test_the_total_counts_even_before_the_first_text() -> None:
    short = Deadlines(first_text_at=130.0, total_at=110.0, idle_s=20.0)

    found = short.next(100.0, has_begun=False, has_ended=False)

    assert found == (110.0, "total_deadline")


def test_a_missed_deadline_has_its_own_sentence() -> None:
    names = ("first_text_deadline", "idle_deadline", "total_deadline")

    missed_ones = [missed(name) for name in names]

    assert [error.reason for error in missed_ones] == list(names)
    assert len({error.detail for error in missed_ones}) == 3
