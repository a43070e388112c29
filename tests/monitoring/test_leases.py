"""One holder at a time."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from monitoring import leases
from monitoring.models import Lease
from tests.servers import ROOT

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALICE, BOB = "alice:boot:1:1", "bob:boot:1:1"


def _hold(holder: str, *, after_s: float = 0) -> bool:
    now = NOW + timedelta(seconds=after_s)
    return leases.hold("trial", holder=holder, ttl_s=10, now=now)


def _dead_process() -> str:
    """Return the identity of a real process that has ended."""
    code = "from monitoring import processes; print(processes.me())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def test_the_first_one_gets_it_and_the_second_does_not() -> None:
    assert _hold(ALICE)
    assert not _hold(BOB)
    assert not _hold(BOB, after_s=9.9)


def test_it_is_kept_by_renewing() -> None:
    assert all(_hold(ALICE, after_s=second) for second in range(0, 30, 3))
    assert not _hold(BOB, after_s=30)


def test_nothing_is_written_while_more_than_half_is_left() -> None:
    _hold(ALICE)
    until = Lease.objects.get().until

    _hold(ALICE, after_s=4)
    assert Lease.objects.get().until == until

    _hold(ALICE, after_s=6)
    assert Lease.objects.get().until == NOW + timedelta(seconds=16)


def test_it_is_taken_over_when_it_ran_out() -> None:
    _hold(ALICE)

    assert _hold(BOB, after_s=10.1)
    assert not _hold(ALICE, after_s=11)


def test_it_is_free_at_once_when_its_holder_lets_go() -> None:
    _hold(ALICE)
    leases.release("trial", holder=BOB)
    assert not _hold(BOB)

    leases.release("trial", holder=ALICE)
    assert _hold(BOB)


def test_it_is_free_at_once_when_its_holder_died_on_this_host() -> None:
    _hold(_dead_process())

    assert _hold(ALICE, after_s=0.1)


def test_a_clock_that_was_set_back_does_not_keep_it_for_ever() -> None:
    _hold(ALICE, after_s=3600)

    assert _hold(BOB)


def test_the_first_process_of_each_server_learns_that_it_is() -> None:
    told = [
        leases.succeed("startup", holder=holder, now=NOW)
        for holder in (ALICE, ALICE, BOB, ALICE, BOB)
    ]

    assert told == [True, False, True, False, False]


def test_servers_that_died_on_this_host_leave_nothing_behind() -> None:
    leases.succeed("startup", holder=_dead_process(), now=NOW)
    leases.succeed("startup", holder=BOB, now=NOW)

    leases.succeed("startup", holder=ALICE, now=NOW)

    assert set(Lease.objects.values_list("holder", flat=True)) == {ALICE, BOB}


def test_a_server_s_name_of_any_length_fits() -> None:
    assert leases.succeed("startup", holder=f"{'h' * 180}:boot:1:1", now=NOW)
    assert len(Lease.objects.get().name) <= 64
