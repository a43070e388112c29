"""A rollout's windows: each is counted once, wherever the rollout was then."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flags import windows
from flags.models import Rollout
from tests.chat import stored
from tests.chat.observed import NOON, STEP, at, ended, traffic
from tests.flags import windowing
from tests.flags.windowing import asked, decide, rows

pytestmark = pytest.mark.django_db

_SETTLED = timedelta(seconds=5)
_FAILED: dict[str, Any] = {"status": "failed", "error_code": "GEMINI_TIMEOUT"}


@pytest.fixture
def rollout() -> Rollout:
    return windowing.begun()


def test_a_window_is_counted_when_it_has_settled(rollout: Rollout) -> None:
    before = windows.ingest(rollout, at(30) + _SETTLED - timedelta(microseconds=1))
    added = windows.ingest(rollout, at(30) + _SETTLED)

    assert before == []
    assert [(each.begin, each.end) for each in added] == [(NOON, at(30))] * 2
    assert {each.variant for each in added} == {"on", "off"}
    assert rollout.counted_until == at(30)
    assert rows(rollout) == added


def test_every_window_has_a_row_of_both_arms(rollout: Rollout) -> None:
    ended(stored.conversation(), at(40), **_FAILED)

    windows.ingest(rollout, at(125))

    assert [
        (each.variant, each.turn_count, each.error_count)
        for each in rows(rollout, begin__gte=at(30), begin__lt=at(90))
    ] == [("on", 1, 1), ("off", 0, 0), ("on", 0, 0), ("off", 0, 0)]
    assert len(rows(rollout)) == 8


def test_windows_begin_at_whole_steps_wherever_the_rollout_does(
    rollout: Rollout,
) -> None:
    Rollout.objects.filter(pk=rollout.pk).update(counted_until=at(7))

    added = windows.ingest(rollout, at(95))

    assert [each.begin for each in added] == [at(30), at(30), at(60), at(60)]


def test_before_it_starts_nothing_is_counted(rollout: Rollout) -> None:
    assert windows.ingest(rollout, at(-3600)) == []
    assert windows.ingest(rollout, at(10)) == []
    assert rollout.counted_until is None


def test_what_is_counted_is_counted_once(rollout: Rollout) -> None:
    ended(stored.conversation(), at(5))

    first = windows.ingest(rollout, at(70))
    again = windows.ingest(rollout, at(70))

    assert (len(first), again) == (4, [])


def test_who_looked_before_somebody_else_counted_adds_nothing(rollout: Rollout) -> None:
    late = Rollout.objects.get(pk=rollout.pk)
    windows.ingest(rollout, at(70))

    class Slow(windowing.Many):
        def meanwhile(self) -> None:
            with asked(windowing.Many()):
                windows.ingest(rollout, at(100))

    with asked(Slow()):
        added = windows.ingest(late, at(100))

    assert added == []
    assert late.counted_until == rollout.counted_until == at(90)
    assert len(rows(rollout)) == 6


def test_a_long_gap_is_made_up_for_call_by_call(rollout: Rollout) -> None:
    now = NOON + timedelta(hours=5, seconds=5)
    ended(stored.conversation(), NOON + timedelta(hours=4, minutes=59, seconds=45))

    counts = [len(windows.ingest(rollout, now)) for _ in range(6)]

    assert counts == [240, 240, 240, 240, 240, 0]
    assert rollout.counted_until == NOON + timedelta(hours=5)
    assert rows(rollout)[-2].turn_count == 1
    begins = [each.begin for each in rows(rollout, variant="off")]
    assert begins == [NOON + number * STEP for number in range(600)]


def test_a_gap_is_counted_as_its_windows_one_by_one_would_be(rollout: Rollout) -> None:
    traffic(8, begin=at(600), seconds=600, turns=300)
    other = windowing.begun("other")

    windows.ingest(rollout, at(1235))
    for number in range(1, 42):
        windows.ingest(other, at(30 * number + 5))

    assert windows.paired(rows(rollout)) == windows.paired(rows(other))
    assert len(windows.paired(rows(rollout))) == 41


def test_a_gap_takes_few_statements(rollout: Rollout) -> None:
    traffic(9, begin=at(600), seconds=600, turns=100)

    with CaptureQueriesContext(connection) as one:
        windows.ingest(rollout, at(35))
    with CaptureQueriesContext(connection) as sixty:
        windows.ingest(rollout, at(1835))

    assert len(one) <= 12
    assert len(sixty) <= 25


def test_a_row_says_where_the_rollout_was_when_its_window_began(
    rollout: Rollout,
) -> None:
    decide(rollout, at(-60), 1, phase=0)
    decide(rollout, at(60), 10, phase=1)
    decide(rollout, at(100), 5, phase=1)

    windows.ingest(rollout, at(155))

    assert [
        (each.phase_index, each.percent) for each in rows(rollout, variant="on")
    ] == [
        (0, Decimal(1)),
        (0, Decimal(1)),
        (1, Decimal(10)),
        (1, Decimal(10)),
        (1, Decimal(5)),
    ]


def test_before_its_first_decision_a_rollout_was_at_zero(rollout: Rollout) -> None:
    decide(rollout, at(45), 1, phase=0)

    windows.ingest(rollout, at(95))

    found = [each.percent for each in rows(rollout, variant="on")]
    assert found == [Decimal(0), Decimal(0), Decimal(1)]


def test_who_was_drawn_while_the_percent_changed_is_not_judged_by_it(
    rollout: Rollout,
) -> None:
    decide(rollout, at(-60), 1, phase=0)
    decide(rollout, at(45), 10, phase=1)
    decide(rollout, at(75), 10, phase=1)
    for second in (20, 50, 80):
        ended(stored.conversation(), at(second))

    windows.ingest(rollout, at(95))
    windows.correct(rollout, at(95))

    found = rows(rollout, variant="on")
    assert [each.assigned_count for each in found] == [1, 0, 1]
    assert [each.turn_count for each in found] == [1, 1, 1]


def test_who_was_drawn_in_a_pause_is_not_judged_by_the_percent_from_before(
    rollout: Rollout,
) -> None:
    decide(rollout, at(-60), 10, phase=1)
    decide(rollout, at(45), 10, phase=1, state="paused")
    decide(rollout, at(80), 10, phase=1, state="paused")
    decide(rollout, at(90), 10, phase=1)
    for second in (20, 50, 80, 100):
        ended(stored.conversation(), at(second))

    windows.ingest(rollout, at(125))
    windows.correct(rollout, at(125))

    found = rows(rollout, variant="on")
    assert [each.assigned_count for each in found] == [1, 0, 0, 1]
    assert [each.turn_count for each in found] == [1, 1, 1, 1]


def test_the_bounds_are_those_of_the_plan(rollout: Rollout) -> None:
    for tokens, time_ms in ((20_001, 3001), (20_000, 3000)):
        ended(
            stored.conversation(),
            at(5),
            duration_ms=time_ms,
            prompt_tokens=tokens,
            cached_tokens=0,
        )

    windows.ingest(rollout, at(35))

    found = windows.totals(rollout, NOON, at(30), "on")
    assert (found.conversation_count, found.slow_count, found.costly_count) == (2, 1, 1)


def test_no_row_is_ever_changed(rollout: Rollout) -> None:
    windows.ingest(rollout, at(35))

    with pytest.raises(TypeError, match="never edited"):
        rows(rollout)[0].save()
