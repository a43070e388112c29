"""What closes sessions by itself, and what is counted and logged of it."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from chat import registrations
from chat.models import LiveSession
from flags.models import Flag
from monitoring import jobs, processes
from tests.chat import stored
from tests.chat.stored import ELSEWHERE

pytestmark = pytest.mark.django_db

Commit = Callable[..., Any]


def _events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    events = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [event for event in events if event["event"].startswith("session.")]


@pytest.fixture
def rolled_out(db: None) -> None:
    stored.roll_out(50)


@pytest.mark.usefixtures("rolled_out")
def test_sessions_that_nobody_used_for_too_long_are_closed_everywhere() -> None:
    stored.put(PERSISTENT_SESSION_TIMEOUT=60, CLEANUP_INTERVAL=60, CLEANUP_BATCH_SIZE=2)
    for number in range(5):
        stored.registered(idle_s=70, process=ELSEWHERE.format(number))
    fresh = stored.registered(idle_s=50)

    assert registrations.clean_up() == 5
    assert LiveSession.objects.get() == fresh
    assert stored.totals() == {"expired": 5}
    assert registrations.clean_up() == 0


@pytest.mark.usefixtures("rolled_out")
def test_the_sessions_of_a_process_that_died_are_closed_at_once() -> None:
    dead = stored.dead_process()
    of = stored.conversation()
    LiveSession.objects.bulk_create(
        LiveSession(
            conversation=stored.conversation(owner=of.owner),
            process=dead,
            strategy="history",
            version=2,
            message_count=2,
            size_bytes=100,
        )
        for _ in range(200)
    )
    alive = [stored.registered(), stored.registered(process=ELSEWHERE.format(1))]

    assert registrations.clean_up() == 200
    assert set(LiveSession.objects.all()) == set(alive)
    assert stored.totals() == {"orphaned": 200}


@pytest.mark.usefixtures("rolled_out")
def test_a_maximum_that_was_lowered_is_met_by_the_least_recently_used() -> None:
    rows = [stored.registered(idle_s=100 - number) for number in range(5)]
    busy = stored.registered(idle_s=900, is_busy=True)
    stored.put(MAX_PERSISTENT_SESSIONS=3, CLEANUP_BATCH_SIZE=1)

    assert registrations.clean_up() == 3
    assert set(LiveSession.objects.all()) == {busy, *rows[3:]}


@pytest.mark.parametrize(
    "flag",
    [
        {"USE_PERSISTENT_SESSIONS": False, "GRADUAL_ROLLOUT_PERCENTAGE": 50},
        {"USE_PERSISTENT_SESSIONS": True, "GRADUAL_ROLLOUT_PERCENTAGE": 0},
    ],
)
def test_all_are_closed_while_nobody_may_have_one(flag: dict[str, Any]) -> None:
    stored.put(**flag)
    for number in range(3):
        stored.registered(process=ELSEWHERE.format(number))

    assert registrations.clean_up() == 3
    assert stored.totals() == {"switched_off": 3}


def test_all_are_closed_when_the_flag_has_lost_its_row() -> None:
    Flag.objects.all().delete()
    stored.registered()

    assert registrations.clean_up() == 1


def test_the_job_closes_them_and_says_how_many() -> None:
    stored.registered()

    assert jobs.run("chat.clean_up_sessions").detail == "1"
    assert registrations.count() == 0


def test_a_server_that_starts_leaves_sessions_alone_unless_told_otherwise() -> None:
    stored.registered()

    assert registrations.clean_up_on_startup("host:boot:1:1") == 0
    assert registrations.count() == 1


def test_a_server_that_starts_closes_all_once_if_it_is_told_to() -> None:
    stored.put(FORCE_CLEANUP_ON_STARTUP=True)
    server, restarted = "host:boot:1:1", "host:boot:2:2"

    closed = []
    for name in (server, server, restarted, restarted):
        stored.registered()
        closed.append(registrations.clean_up_on_startup(name))

    assert closed == [1, 0, 2, 0]
    assert stored.totals() == {"forced": 3}


def test_two_servers_do_not_take_turns_in_closing_all() -> None:
    stored.put(FORCE_CLEANUP_ON_STARTUP=True)
    one, other = "one:boot:1:1", "other:boot:1:1"
    stored.registered()

    closed = [
        registrations.clean_up_on_startup(name) for name in (one, other, one, other)
    ]

    assert closed == [1, 0, 0, 0]


def test_a_process_tells_the_server_it_belongs_to() -> None:
    assert processes.parent() != processes.me()
    assert not processes.is_known_dead(processes.parent())


@pytest.mark.parametrize("is_counted", [True, False])
def test_operations_are_counted_if_that_is_wanted(is_counted: bool) -> None:
    stored.put(ENABLE_PERFORMANCE_TRACKING=is_counted)
    of = stored.conversation()

    for outcome in ("created", "hit", "hit", "stateless"):
        registrations.settle(of.pk, outcome=outcome, note="", session=None)
    registrations.settle(of.pk, outcome="hit", note="", session=stored.session(of))
    registrations.close(of.pk)

    expected = {"created": 1, "hit": 3, "stateless": 1, "closed": 1}
    assert stored.totals() == (expected if is_counted else {})


def test_operations_are_logged_with_their_conversation_and_note(
    caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Commit
) -> None:
    of = stored.conversation()
    caplog.set_level("INFO")

    with django_capture_on_commit_callbacks(execute=True):
        registrations.settle(
            of.pk, outcome="recovered", note="closed", session=stored.session(of)
        )
        registrations.close(of.pk)
        assert not _events(caplog)  # nothing is said that may be undone

    assert [{**event, "timestamp": ""} for event in _events(caplog)] == [
        _line("session.recovered", of.pk, note="closed"),
        _line("session.closed", of.pk),
    ]


def _line(event: str, conversation_id: int, **more: str) -> dict[str, Any]:
    return {
        "event": event,
        "conversation": conversation_id,
        "level": "info",
        "logger": "chat.registrations",
        "timestamp": "",
        "pid": os.getpid(),
        **more,
    }


def test_nothing_is_logged_if_that_is_not_wanted(
    caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Commit
) -> None:
    stored.put(LOG_SESSION_OPERATIONS=False)
    of = stored.conversation()
    caplog.set_level("INFO")

    with django_capture_on_commit_callbacks(execute=True):
        registrations.settle(
            of.pk, outcome="created", note="", session=stored.session(of)
        )
        registrations.close(of.pk)

    assert not _events(caplog)


def test_a_turn_that_leaves_no_session_registers_none() -> None:
    of = stored.conversation()

    registrations.settle(of.pk, outcome="created", note="", session=None)

    assert registrations.count() == 0


def test_a_full_table_does_not_touch_the_turn() -> None:
    stored.put(MAX_PERSISTENT_SESSIONS=1, CLEANUP_BATCH_SIZE=1)
    busy = stored.registered(is_busy=True)
    of = stored.conversation()

    registrations.settle(of.pk, outcome="created", note="", session=stored.session(of))

    assert LiveSession.objects.get() == busy
    assert stored.totals()["created"] == 1
