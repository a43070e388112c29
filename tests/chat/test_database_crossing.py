"""The writer on PostgreSQL, where another process may hold what it wants."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from tests.faults.workers import wait_until
from tests.flags.processes import Process, on_postgresql, processes

_TAKE = "UPDATE chat_ratebucket SET tokens = tokens - 1 WHERE key = %s"
_WAITING = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
    AND query_start < clock_timestamp() - interval '100 milliseconds'
"""
_DO = "__import__('tests.chat.crossing').chat.crossing"


@dataclass
class Scene:
    """A process of ours, and a stranger's transaction in the same database."""

    process: Process
    url: str
    stranger: psycopg.Connection[tuple[object, ...]]

    def ask(self, call: str) -> str:
        return self.process.ask(f"{_DO}.{call}")

    def wait_until_it_waits(self) -> None:
        """Return when the process has waited for a lock for a while."""
        with psycopg.connect(self.url, autocommit=True) as watching:
            wait_until(lambda: watching.execute(_WAITING).fetchone())


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Process, str]]:
    with (
        on_postgresql(tmp_path_factory.mktemp("crossing")) as env,
        processes(env, 1) as (process,),
    ):
        process.ask(f"{_DO}.fill('a', 'b', 'c')")
        yield process, env["DATABASE_URL"]


@pytest.fixture
def scene(shared: tuple[Process, str]) -> Iterator[Scene]:
    process, url = shared
    with contextlib.closing(psycopg.connect(url)) as stranger:
        # So it is never the stranger who is chosen to give way.
        stranger.execute("SET deadlock_timeout = '1min'")
        stranger.commit()
        yield Scene(process, url, stranger)


def test_a_batch_holds_nothing_while_it_waits_for_another_process(
    scene: Scene,
) -> None:
    scene.stranger.execute(_TAKE, ["b"])
    scene.process.send(f"{_DO}.together('a', 'b', 'c')")
    scene.wait_until_it_waits()

    scene.stranger.execute(_TAKE, ["a"])
    scene.stranger.commit()

    assert scene.process.answer() == "['a', 'b', 'b', 'c'] ['well', 'well', 'well']"


def test_a_job_that_a_deadlock_undid_is_repeated(scene: Scene) -> None:
    scene.stranger.execute(_TAKE, ["b"])
    scene.process.send(f"{_DO}.together('a b')")
    scene.wait_until_it_waits()

    scene.stranger.execute(_TAKE, ["a"])
    scene.stranger.commit()

    # It may come back before the stranger has woken, and be undone once more.
    assert scene.process.answer() in {
        "['a b', 'a b'] ['well']",
        "['a b', 'a b', 'a b'] ['well']",
    }


@pytest.mark.parametrize(
    ("code", "times", "ended"),
    [
        ("40P01", 1, "2 well"),
        ("40001", 2, "3 well"),
        ("40001", 9, "3 DatabaseBusy"),
        ("57014", 9, "1 DatabaseBusy"),
    ],
)
def test_only_what_was_surely_undone_is_repeated_and_not_for_ever(
    scene: Scene, code: str, times: int, ended: str
) -> None:
    assert scene.ask(f"fail('{code}', {times})") == ended


def test_who_speaks_in_a_conversation_that_is_deleted_is_told_that_it_is_gone(
    scene: Scene,
) -> None:
    conversation_id, owner_id = scene.ask("begin()").split()
    scene.stranger.execute(
        "DELETE FROM chat_conversation WHERE id = %s", [conversation_id]
    )
    scene.process.send(f"{_DO}.say({conversation_id}, {owner_id})")
    scene.wait_until_it_waits()
    scene.stranger.commit()

    assert scene.process.answer() == "ConversationNotFound"
