"""A rollout that several processes look at, and people want things of, at once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.chat.observed import NOON
from tests.flags.processes import Process, migrated, on_postgresql, processes
from tests.servers import exit_of, manage

_ROUNDS = 6
# Nothing listens there, and no worker runs.
_NO_BROKER = {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"}


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


@pytest.fixture
def two(database: dict[str, str]) -> Iterator[list[Process]]:
    with processes(database, 2) as running:
        yield running


def _together(two: list[Process], *lines: str) -> list[str]:
    for process, line in zip(two, lines, strict=True):
        process.send(line)
    return [process.answer() for process in two]


def _tick(moment: datetime) -> str:
    return f"tick({moment.isoformat()!r})"


def test_of_those_at_once_one_decides_and_a_kill_needs_neither_worker_nor_broker(
    database: dict[str, str], two: list[Process]
) -> None:
    one, _ = two
    one.ask("begin()")

    for number in range(_ROUNDS):
        line = _tick(NOON + number * timedelta(seconds=30))
        assert sorted(_together(two, line, line)) == ["False", "True"]
    assert one.ask("Decision.objects.count()") == str(_ROUNDS)
    assert one.ask("str(rollouts.watched().percent)") == "1"

    seen = one.ask("rollouts.watched().version")
    answers = _together(
        two,
        f"give('alice', 'pause', seen={seen})",
        f"give('bob', 'halve', seen={seen})",
    )
    assert answers == ["done", "done"]
    seen = one.ask("rollouts.watched().version")
    answers = _together(
        two,
        f"give('alice', 'resume', seen={seen})",
        f"give('bob', 'resume', seen={seen})",
    )
    assert sorted(answer.split(":")[0] for answer in answers) == ["conflict", "done"]
    assert sorted(
        _together(two, "give('alice', 'roll_back')", "give('bob', 'roll_back')")
    ) == ["already", "done"]
    assert one.ask("Decision.objects.count()") == str(_ROUNDS + 4)
    whole = manage(database, "rollout", "verify-log")
    assert f"All {_ROUNDS + 4} decisions" in whole
    assert "came out as they are" in manage(database, "rollout", "replay")
    assert one.ask("tick('2030-01-01T00:00+00:00')") == "True"

    one.ask("begin()")
    one.ask("tick('2026-05-04T12:20+00:00')")
    killed = exit_of(database | _NO_BROKER, "rollout", "kill")
    assert killed.code == 0
    assert "USE_PERSISTENT_SESSIONS: true → false" in killed.text
    assert "it ends with this" in killed.text
