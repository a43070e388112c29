"""The table of live sessions on PostgreSQL, where two may close at the same moment."""

import time
from collections.abc import Iterator

import pytest

from tests.flags.processes import Process, on_postgresql, processes

_TRANSACTION = "__import__('django.db').db.transaction.atomic()"
_CHAT = "__import__('chat.registrations').registrations"
_STORED = "__import__('tests.chat.stored').chat.stored"
_UNTIL_IT_WAITS_S = 0.5


@pytest.fixture
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Process]]:
    folder = tmp_path_factory.mktemp("shared")
    with on_postgresql(folder) as env, processes(env, 2) as running:
        yield running


def test_a_session_that_two_close_is_counted_by_one(two: list[Process]) -> None:
    first, second = two
    first.ask(f"[{_STORED}.registered() for _ in range(5)]")
    first.ask(f"{_TRANSACTION}.__enter__()")

    assert first.ask(f"{_CHAT}.evict(3)") == "3"
    second.send(f"{_CHAT}.evict(3)")
    time.sleep(_UNTIL_IT_WAITS_S)
    first.ask(f"{_TRANSACTION}.__exit__(None, None, None)")

    assert second.answer() == "0"
    assert second.ask(f"{_STORED}.totals()") == "{'evicted': 3}"
    assert second.ask(f"{_CHAT}.count()") == "2"
