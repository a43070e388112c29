"""Facts that come late are added to a rollout's windows, and change no row."""

from typing import Any

import pytest

from chat.models import Generation
from flags import windows
from flags.models import Rollout
from flags.observations import ArmCounts
from tests.chat import stored
from tests.chat.observed import NOON, at, ended, traffic
from tests.flags import windowing
from tests.flags.windowing import asked, rows

pytestmark = pytest.mark.django_db

_FAILED: dict[str, Any] = {"status": "failed", "error_code": "GEMINI_TIMEOUT"}


@pytest.fixture
def rollout() -> Rollout:
    return windowing.begun()


def test_where_nothing_came_late_nothing_is_added(rollout: Rollout) -> None:
    traffic(10, begin=at(300), seconds=300, turns=200)
    windows.ingest(rollout, at(605))

    assert windows.correct(rollout, at(605)) == []


def test_before_anything_is_counted_nothing_is_corrected(rollout: Rollout) -> None:
    assert windows.correct(rollout, at(605)) == []


def test_a_turn_that_came_late_is_added_and_the_row_stays(rollout: Rollout) -> None:
    ended(stored.conversation(), at(5), duration_ms=100, prompt_tokens=9)
    windows.ingest(rollout, at(95))
    (before, *_) = rows(rollout)
    ended(stored.conversation(), at(6), variant="off", **_FAILED)

    added = windows.correct(rollout, at(100))
    again = windows.correct(rollout, at(130))

    (row,) = added
    assert again == []
    assert rows(rollout)[0] == before
    assert (row.is_correction, row.variant, row.begin) == (True, "off", NOON)
    assert (row.turn_count, row.conversation_count, row.error_count) == (1, 1, 1)
    assert (row.phase_index, row.percent) == (before.phase_index, before.percent)
    assert windows.totals(rollout, NOON, at(30), "off") == ArmCounts(
        turn_count=1, conversation_count=1, error_count=1, assigned_count=1
    )
    assert windows.paired(rows(rollout))[0].control.error_count == 1


def test_a_first_event_that_came_late_takes_the_later_one_back(
    rollout: Rollout,
) -> None:
    of = stored.conversation()
    ended(of, at(95), **_FAILED)
    windows.ingest(rollout, at(155))
    ended(of, at(35), **_FAILED)

    added = windows.correct(rollout, at(155))

    assert [(each.begin, each.error_count) for each in added] == [
        (at(30), 1),
        (at(90), -1),
    ]
    assert windows.totals(rollout, NOON, at(150), "on").error_count == 1


def test_a_deleted_conversation_has_happened_all_the_same(rollout: Rollout) -> None:
    of = stored.conversation()
    ended(of, at(5), **_FAILED)
    windows.ingest(rollout, at(65))
    Generation.objects.all().delete()
    ended(stored.conversation(), at(35))

    added = windows.correct(rollout, at(95))

    assert [each.begin for each in added] == [at(30)]
    assert windows.totals(rollout, NOON, at(60), "on").error_count == 1


def test_what_came_much_too_late_stays_out(rollout: Rollout) -> None:
    windows.ingest(rollout, at(1205))
    ended(stored.conversation(), at(575))
    ended(stored.conversation(), at(605))

    added = windows.correct(rollout, at(1205))

    assert [each.begin for each in added] == [at(600)]


def test_of_two_correctors_at_once_one_adds(rollout: Rollout) -> None:
    windows.ingest(rollout, at(35))
    ended(stored.conversation(), at(5))

    class Slow(windowing.Many):
        def meanwhile(self) -> None:
            with asked(windowing.Many()):
                assert len(windows.correct(rollout, at(40))) == 1

    with asked(Slow()):
        assert windows.correct(rollout, at(40)) == []

    assert windows.totals(rollout, NOON, at(30), "on").turn_count == 1
