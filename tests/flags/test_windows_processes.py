"""Several processes count a rollout's windows at once; each is counted once."""

import json
from collections.abc import Iterator

import pytest

from tests.flags.processes import Process, migrated, on_postgresql, processes

_SECONDS = 600
_HERE = "__import__('importlib').import_module('tests.flags.windowing')"


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


def test_each_window_is_counted_by_one_of_them(three: list[Process]) -> None:
    for number, process in enumerate(three):
        process.ask(f"{_HERE}.talk({number}, seconds={_SECONDS})")
    rollout_id = three[0].ask(f"{_HERE}.begun().pk")

    for process in three:
        process.send(f"{_HERE}.ingest_often({rollout_id}, seconds={_SECONDS})")

    added = [int(process.answer()) for process in three]
    counted = json.loads(three[0].ask(f"{_HERE}.told({rollout_id})"))
    assert sum(added) == counted["rows"] == 2 * _SECONDS / 30
    assert counted["windows"] == counted["recounted"]
    assert sum(counted["windows"]) == counted["turns"] > 100
