"""The pool of a process's live sessions, and what they weigh."""

import json
import subprocess
import sys

import pytest

from chat import contents, sessions
from chat.contents import Line
from chat.sessions import Pool, Session
from tests.servers import ROOT

_MAX_BYTES_EACH = 40 * 1024
_MAX_GROWTH_BYTES = 400 * 1024 * 1024
# A process of its own: what other tests have allocated and freed is not to count.
_WEIGH = """
import gc, json, tracemalloc
import psutil
from chat import contents
from chat.contents import Line
from chat.sessions import Pool, Session

def session(number):
    told = tuple(contents.of_lines(
        Line("assistant" if turn % 2 else "user", f"{number:06}-{turn:02}-".ljust(400))
        for turn in range(20)
    ))
    return Session(conversation_id=number, strategy="history", model="m", version=20,
        message_count=20, contents=told, size_bytes=contents.size_bytes(told))

pool = Pool()
before = psutil.Process().memory_info().rss
for number in range(10_000):
    pool.keep(session(number))
growth = psutil.Process().memory_info().rss - before
tracemalloc.start()
kept = [session(number) for number in range(100)]
gc.collect()
each = tracemalloc.get_traced_memory()[0] / len(kept)
print(json.dumps({"each": each, "growth": growth, "count": len(pool)}))
"""


@pytest.fixture
def pool() -> Pool:
    return Pool()


def _session(conversation_id: int, *, version: int = 2) -> Session:
    told = tuple(contents.of_lines([Line("user", "Hi"), Line("assistant", "Hello")]))
    return Session(
        conversation_id=conversation_id,
        strategy="history",
        model="m",
        version=version,
        message_count=2,
        contents=told,
    )


def test_a_session_is_found_by_its_conversation(pool: Pool) -> None:
    one, two = _session(1), _session(2)

    pool.keep(one)
    pool.keep(two)

    assert pool.find(1) is one
    assert pool.find(2) is two
    assert pool.find(3) is None
    assert len(pool) == 2


def test_a_newer_session_takes_the_place_of_the_older_one(pool: Pool) -> None:
    pool.keep(_session(1, version=2))
    newer = _session(1, version=4)

    pool.keep(newer)

    assert pool.find(1) is newer
    assert len(pool) == 1


def test_whoever_holds_an_older_session_is_not_disturbed_by_a_newer_one(
    pool: Pool,
) -> None:
    older = _session(1, version=2)
    pool.keep(older)
    held = pool.find(1)

    pool.keep(_session(1, version=4))
    pool.drop(1)

    assert held is older
    assert held.version == 2
    assert len(held.contents) == 2


def test_dropping_tells_whether_there_was_one(pool: Pool) -> None:
    pool.keep(_session(1))

    assert pool.drop(1)
    assert not pool.drop(1)
    assert pool.find(1) is None


def test_sessions_that_are_not_held_any_more_are_forgotten_and_counted(
    pool: Pool,
) -> None:
    for number in (1, 2, 3):
        pool.keep(_session(number))

    gone = pool.drop_unless({2}, seen=pool.all())

    assert gone == 2
    assert set(pool.all()) == {2}


def test_one_that_was_renewed_since_it_was_seen_stays(pool: Pool) -> None:
    pool.keep(_session(1))
    seen = pool.all()
    renewed = _session(1)
    pool.keep(renewed)

    gone = pool.drop_unless(set(), seen=seen)

    assert gone == 0
    assert pool.find(1) is renewed


def test_one_that_came_since_they_were_seen_stays(pool: Pool) -> None:
    seen = pool.all()
    pool.keep(_session(1))

    assert pool.drop_unless(set(), seen=seen) == 0
    assert pool.find(1) is not None


def test_one_that_was_dropped_since_it_was_seen_is_not_counted(pool: Pool) -> None:
    pool.keep(_session(1))
    seen = pool.all()
    pool.drop(1)

    assert pool.drop_unless(set(), seen=seen) == 0


def test_what_was_seen_does_not_change_with_the_pool(pool: Pool) -> None:
    pool.keep(_session(1))
    seen = pool.all()

    pool.keep(_session(2))
    pool.drop(1)

    assert set(seen) == {1}


def test_a_process_has_one_pool() -> None:
    assert sessions.pool() is sessions.pool()


def test_a_session_of_20_messages_fits_in_40_kib_and_10_000_in_400_mib() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WEIGH], cwd=ROOT, check=True, capture_output=True
    )

    weighed = json.loads(done.stdout)
    assert weighed["count"] == 10_000
    assert weighed["each"] <= _MAX_BYTES_EACH, weighed
    assert weighed["growth"] <= _MAX_GROWTH_BYTES, weighed
