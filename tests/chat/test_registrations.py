"""The table of live sessions: who may keep one, and how many there may be."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chat import registrations, sessions
from chat.models import LiveSession
from monitoring import processes
from tests.chat import stored
from tests.chat.stored import ELSEWHERE

pytestmark = pytest.mark.django_db


def _idle(count: int) -> list[LiveSession]:
    """Register so many sessions of other processes, the least recently used first."""
    return [
        stored.registered(idle_s=60 * (count - n), process=ELSEWHERE.format(n % 3))
        for n in range(count)
    ]


def _left(rows: list[LiveSession]) -> list[LiveSession]:
    kept = set(LiveSession.objects.values_list("pk", flat=True))
    return [row for row in rows if row.pk in kept]


def test_a_new_session_is_registered_with_what_it_is() -> None:
    of = stored.conversation()

    is_held = registrations.hold(stored.session(of, version=4, message_count=4))

    row = LiveSession.objects.get()
    assert is_held
    assert registrations.is_held(of.pk)
    assert registrations.held_here() == {of.pk}
    assert (row.strategy, row.version, row.message_count) == ("history", 4, 4)
    assert (row.size_bytes, row.created_at) == (100, row.used_at)


def test_a_session_that_is_kept_on_is_renewed_in_its_row() -> None:
    old = stored.registered(idle_s=100)

    registrations.hold(stored.session(old.conversation, version=6, size_bytes=300))

    row = LiveSession.objects.get()
    assert (row.pk, row.version, row.size_bytes) == (old.pk, 6, 300)
    assert row.created_at == old.created_at
    assert (timezone.now() - row.used_at).total_seconds() < 10


def test_renewing_one_costs_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    session = stored.session(stored.registered().conversation)

    with django_assert_num_queries(1):
        registrations.hold(session)


def test_one_conversation_may_be_live_in_two_processes() -> None:
    elsewhere = stored.registered(process=ELSEWHERE.format(1))

    registrations.hold(stored.session(elsewhere.conversation))

    assert registrations.count() == 2


def test_a_session_of_another_process_is_not_ours() -> None:
    row = stored.registered(process=ELSEWHERE.format(1))

    assert not registrations.is_held(row.conversation_id)
    assert registrations.held_here() == set()


@pytest.mark.parametrize(("idle_s", "is_held"), [(59, True), (62, False)])
def test_a_session_that_nobody_used_for_too_long_is_not_used(
    idle_s: float, is_held: bool
) -> None:
    stored.put(PERSISTENT_SESSION_TIMEOUT=60)
    row = stored.registered(idle_s=idle_s)

    assert registrations.is_held(row.conversation_id) is is_held


def test_there_are_no_more_than_the_maximum_over_all_processes() -> None:
    stored.put(
        MAX_PERSISTENT_SESSIONS=3,
        EMERGENCY_CLEANUP_THRESHOLD=1,
        CLEANUP_BATCH_SIZE=1,
    )
    oldest, *others = _idle(3)

    is_held = registrations.hold(stored.session(stored.conversation()))

    assert is_held
    assert registrations.count() == 3
    assert _left([oldest, *others]) == others


def test_under_the_threshold_nobody_has_to_make_room() -> None:
    stored.put(MAX_PERSISTENT_SESSIONS=10, EMERGENCY_CLEANUP_THRESHOLD="0.9")
    rows = _idle(8)

    registrations.hold(stored.session(stored.conversation()))

    assert _left(rows) == rows


def test_over_the_threshold_a_batch_of_the_least_recently_used_is_closed() -> None:
    stored.put(
        MAX_PERSISTENT_SESSIONS=10,
        EMERGENCY_CLEANUP_THRESHOLD="0.9",
        CLEANUP_BATCH_SIZE=4,
    )
    rows = _idle(9)

    is_held = registrations.hold(stored.session(stored.conversation()))

    assert is_held
    assert _left(rows) == rows[4:]
    assert stored.totals()["evicted"] == 4


def test_conversations_in_the_middle_of_a_turn_are_spared() -> None:
    stored.put(
        MAX_PERSISTENT_SESSIONS=4,
        EMERGENCY_CLEANUP_THRESHOLD=1,
        CLEANUP_BATCH_SIZE=2,
    )
    busy = stored.registered(idle_s=900, is_busy=True)
    rows = _idle(3)

    registrations.hold(stored.session(stored.conversation()))

    assert _left([busy, *rows]) == [busy, rows[2]]


def test_what_the_dead_left_makes_room_before_the_living_have_to() -> None:
    stored.put(
        MAX_PERSISTENT_SESSIONS=3,
        EMERGENCY_CLEANUP_THRESHOLD=1,
        CLEANUP_BATCH_SIZE=1,
    )
    dead = stored.dead_process()
    orphan = stored.registered(process=dead)
    rows = _idle(2)

    registrations.hold(stored.session(stored.conversation()))

    assert _left([orphan, *rows]) == rows


def test_where_all_are_in_use_a_new_session_is_not_kept() -> None:
    stored.put(MAX_PERSISTENT_SESSIONS=2, CLEANUP_BATCH_SIZE=1)
    busy = [stored.registered(is_busy=True) for _ in range(2)]
    of = stored.conversation()

    is_held = registrations.hold(stored.session(of))

    assert not is_held
    assert not registrations.is_held(of.pk)
    assert _left(busy) == busy


def test_a_full_table_lets_those_that_are_in_it_go_on() -> None:
    stored.put(MAX_PERSISTENT_SESSIONS=2, CLEANUP_BATCH_SIZE=1)
    mine, other = (stored.registered(is_busy=True) for _ in range(2))

    assert registrations.hold(stored.session(mine.conversation, version=9))
    assert _left([mine, other]) == [mine, other]


def test_evicting_closes_the_least_recently_used_of_all_processes() -> None:
    busy = stored.registered(idle_s=900, is_busy=True)
    rows = _idle(4)

    assert registrations.evict(2) == 2
    assert _left([busy, *rows]) == [busy, *rows[2:]]
    assert registrations.evict(0) == 0


def test_a_conversation_is_closed_in_every_process() -> None:
    row = stored.registered()
    of = row.conversation
    stored.registered(of, process=ELSEWHERE.format(1))
    other = stored.registered()
    sessions.pool().keep(stored.session(of))

    assert registrations.close(of.pk) == 2
    assert sessions.pool().find(of.pk) is None
    assert LiveSession.objects.get() == other


@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_all_can_be_closed_a_batch_at_a_time(count: int) -> None:
    stored.put(CLEANUP_BATCH_SIZE=2)
    _idle(count)

    assert registrations.close_all() == count
    assert registrations.count() == 0
    assert stored.totals().get("closed", 0) == count


def test_stats_are_of_all_processes() -> None:
    stored.put(MAX_PERSISTENT_SESSIONS=50)
    holders = [ELSEWHERE.format(1), ELSEWHERE.format(2), processes.me()]
    for number, holder in enumerate(holders):
        stored.registered(idle_s=10 * number, size_bytes=1000, process=holder)
    young = LiveSession.objects.earliest("used_at")
    LiveSession.objects.filter(pk=young.pk).update(created_at=timezone.now())

    stats = registrations.stats()

    assert (stats.count, stats.maximum, stats.process_count) == (3, 50, 3)
    assert stats.size_bytes == 3000
    assert stats.oldest_age_s == pytest.approx(10, abs=5)
    assert stats.longest_idle_s == pytest.approx(20, abs=5)


def test_without_a_session_there_is_no_age() -> None:
    stats = registrations.stats()

    assert (stats.count, stats.process_count, stats.size_bytes) == (0, 0, 0)
    assert stats.oldest_age_s is None
    assert stats.longest_idle_s is None


@pytest.mark.parametrize(
    "ask", [registrations.stats, registrations.count, registrations.held_here]
)
def test_any_number_of_sessions_is_looked_at_in_one_query(
    ask: Callable[[], object], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _idle(5)
    ask()  # the settings are read

    with django_assert_num_queries(1):
        ask()
