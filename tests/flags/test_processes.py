"""Several processes, one database: a kill is obeyed, no change is lost."""

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from flags import changes, runtime
from flags.models import Change
from tests.flags.operators import ALICE
from tests.flags.processes import Process, migrated, on_postgresql, processes
from tests.servers import manage

_EVALUATE = "evaluation.evaluate(FLAG, targeting_key='1', held='on').is_on"
_STORED = "runtime.stored()['CLEANUP_BATCH_SIZE']"
_LEASE_AND_A_HALF_S = 2.5
_ROUNDS = 10


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("shared")
    if request.param == "sqlite":
        yield migrated(folder)
    else:
        with on_postgresql(folder) as env:
            yield env


@pytest.fixture(scope="module")
def three(database: dict[str, str]) -> Iterator[list[Process]]:
    with processes(database, 3) as running:
        yield running


def test_a_kill_in_one_process_is_obeyed_by_the_others(
    database: dict[str, str], three: list[Process]
) -> None:
    killer, *others = three
    manage(database, "rollout", "percent", "100", "--enable", "--reason", "All.")
    for process in others:
        process.ask("runtime.forget()")
        assert process.ask(_EVALUATE) == "True"
        assert process.ask("USE.get()") == "True"

    killer.ask("changes.kill(actor=Actor('bob', Change.Channel.COMMAND))")

    killed_at = time.monotonic()
    assert [process.ask(_EVALUATE) for process in others] == ["False", "False"]
    while any(process.ask("USE.get()") == "True" for process in others):
        assert time.monotonic() - killed_at < _LEASE_AND_A_HALF_S
        time.sleep(0.05)


def test_of_those_that_decided_by_the_same_values_one_wins(
    three: list[Process],
) -> None:
    for number in range(_ROUNDS):
        seen = three[0].ask(_STORED)
        wishes = [str(100 + 3 * number + each) for each in range(len(three))]
        for process, wish in zip(three, wishes, strict=True):
            name = f"operator-{wish}"
            process.send(
                f"apply({name!r}, {{'CLEANUP_BATCH_SIZE': {wish}}}, "
                f"seen={{'CLEANUP_BATCH_SIZE': {seen}}})"
            )

        answers = [process.answer() for process in three]

        [winner] = [
            wish for wish, a in zip(wishes, answers, strict=True) if a == "applied"
        ]
        conflicts = [answer for answer in answers if answer != "applied"]
        assert len(conflicts) == 2
        assert all(
            f"was changed to {winner} by operator-{winner}" in words
            for words in conflicts
        )
        assert three[0].ask(_STORED) == winner


def test_those_that_did_not_look_come_one_after_the_other(
    database: dict[str, str], three: list[Process]
) -> None:
    for number in range(_ROUNDS):
        for place, process in enumerate(three):
            wish = 1000 + 3 * number + place
            process.send(f"apply('somebody', {{'CLEANUP_INTERVAL': {wish}}})")
        assert [process.answer() for process in three] == ["applied"] * 3

    told = json.loads(
        manage(
            database, "settings", "history", "CLEANUP_INTERVAL", "--json", "--limit=99"
        )
    )

    told.reverse()
    assert len(told) == 1 + 3 * _ROUNDS
    assert all(one["new"] == next_["old"] for one, next_ in itertools.pairwise(told))


@pytest.mark.django_db(transaction=True)
def test_threads_lose_no_change_either() -> None:
    together = Barrier(8)

    def apply(number: int) -> None:
        try:
            together.wait(10)
            changes.apply(
                {"RECOVERY_TIMEOUT_SECONDS": 100 + number},
                actor=ALICE,
                reason="Because.",
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(apply, range(8)))

    told = list(Change.objects.filter(name="RECOVERY_TIMEOUT_SECONDS").order_by("id"))
    assert len(told) == 9
    assert all(one.new == next_.old for one, next_ in itertools.pairwise(told))
    assert runtime.stored()["RECOVERY_TIMEOUT_SECONDS"] == told[-1].new
