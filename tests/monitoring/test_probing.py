"""Probes side by side, none of them longer than it may take."""

import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError

from monitoring import probing, registry
from monitoring.registry import Health, Probe

_LIMIT_S = 1.0  # of what hangs
_PLENTY_S = 20.0


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging probe waits for."""
    opened = threading.Event()
    yield opened
    opened.set()


def _probe(
    name: str, check: Callable[[], Health], timeout_s: float = _PLENTY_S
) -> Probe:
    return Probe(name, check, timeout_s)


def _healthy() -> Health:
    return Health("healthy", "All is well.")


def _hanging(gate: threading.Event, calls: list[int]) -> Callable[[], Health]:
    def hang() -> Health:
        calls.append(1)
        gate.wait(30)
        return _healthy()

    return hang


def test_a_finding_has_the_words_of_the_probe_and_a_place_in_the_runbook() -> None:
    (found,) = probing.findings([_probe("some_part", _healthy)])

    assert (found.name, found.status) == ("some_part", "healthy")
    assert found.sentence == "All is well."
    assert found.took_ms >= 0
    assert found.runbook == "docs/RUNBOOK.md#check-some-part"


def test_a_probe_that_raises_is_degraded_and_keeps_its_words_to_itself() -> None:
    def fail() -> Health:
        raise ValueError("postgres://user:password@host")

    (found,) = probing.findings([_probe("raising", fail)])

    assert found.status == "degraded"
    assert found.sentence == "The check itself failed: ValueError."


def test_a_probe_without_its_database_is_degraded() -> None:
    def fail() -> Health:
        raise OperationalError("no such table")

    (found,) = probing.findings([_probe("raising", fail)])

    assert found.status == "degraded"
    assert found.sentence == "It can't be told: the database does not answer."


def test_a_probe_that_hangs_holds_up_nobody_longer_than_its_timeout(
    gate: threading.Event,
) -> None:
    hanging = [_probe(f"hanging{n}", _hanging(gate, []), _LIMIT_S) for n in range(5)]
    began_at = time.monotonic()

    *silent, fine = probing.findings([*hanging, _probe("fine", _healthy)])

    assert time.monotonic() - began_at < 5 * _LIMIT_S
    assert {found.status for found in silent} == {"degraded"}
    assert all(found.is_silent for found in silent)
    assert re.search(r"has not answered for \d\.\d s", silent[0].sentence)
    assert (fine.status, fine.is_silent) == ("healthy", False)


def test_a_probe_that_hangs_is_not_started_again_until_it_has_ended(
    gate: threading.Event,
) -> None:
    calls: list[int] = []
    probe = _probe("stuck", _hanging(gate, calls), _LIMIT_S)
    probing.findings([probe])

    began_at = time.monotonic()
    (again,) = probing.findings([probe])
    waited_s = time.monotonic() - began_at

    assert again.is_silent
    assert waited_s < _LIMIT_S
    assert len(calls) == 1
    gate.set()
    _until(lambda: probing.findings([probe])[0].status == "healthy")


def test_those_who_ask_at_the_same_time_share_one_run(gate: threading.Event) -> None:
    calls: list[int] = []
    probe = _probe("shared", _hanging(gate, calls))

    runs = {id(probing._begin(probe)) for _ in range(3)}

    gate.set()
    assert probing.findings([probe])[0].status == "healthy"
    assert len(runs) == len(calls) == 1


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "healthy"),
        (["healthy", "degraded"], "degraded"),
        (["degraded", "unhealthy", "healthy"], "unhealthy"),
    ],
)
def test_the_worst_decides(statuses: list[str], expected: str) -> None:
    assert probing.worst(statuses) == expected


def test_every_part_of_the_installation_has_a_probe() -> None:
    assert {probe.name for probe in registry.probes()} == {
        *(
            "backup",
            "beat",
            "broker",
            "database",
            "database_write",
            "disk",
            "logs",
            "memory",
        ),
        *("migrations", "model", "session_pool", "worker"),
    }


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_probe_whose_thread_could_not_start_runs_the_next_time() -> None:
    probe = _probe("unstartable", _healthy)
    usual = threading.stack_size(2**60)  # more than any machine gives
    try:
        with pytest.raises(RuntimeError, match="thread"):
            probing.findings([probe])
    finally:
        threading.stack_size(usual)

    (found,) = probing.findings([probe])

    assert found.status == "healthy"
