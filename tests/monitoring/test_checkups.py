"""The scheduled health checks: each result kept, each change told."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import Error, connection
from django.utils import timezone
from structlog.testing import capture_logs

from monitoring import checkups, jobs, registry, tasks
from monitoring.models import CheckResult, JobRun
from monitoring.probing import Finding
from monitoring.registry import Health, Probe

pytestmark = pytest.mark.django_db

Say = Callable[..., None]


def _same(health: Health) -> Health:
    return health


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Let there be only these checks, which find what is given."""

    def _say(**found: Health) -> None:
        probes = {
            name: Probe(name, partial(_same, health), timeout_s=5)
            for name, health in found.items()
        }
        monkeypatch.setattr(registry, "_probes", probes)

    return _say


def _kept() -> list[tuple[str, str, str]]:
    return list(
        CheckResult.objects.order_by("id").values_list("name", "status", "sentence")
    )


def test_a_run_keeps_one_result_of_each_check(say: Say) -> None:
    say(disk=Health("healthy", "Plenty."), model=Health("degraded", "It is away."))

    run = jobs.run("monitoring.check_health")

    assert run.detail == "2"
    assert _kept() == [
        ("disk", "healthy", "Plenty."),
        ("model", "degraded", "It is away."),
    ]
    assert CheckResult.objects.values_list("at", flat=True).distinct().count() == 1
    assert all(CheckResult.objects.values_list("took_ms", flat=True))


def test_every_check_of_the_site_is_kept_by_name() -> None:
    expected = {probe.name for probe in registry.probes()}

    checkups.keep(
        [Finding(name, "healthy", "x" * 400, 1.0, "-") for name in expected],
        at=timezone.now(),
    )

    assert {name for name, _, _ in _kept()} == expected
    assert {len(sentence) for _, _, sentence in _kept()} == {300}


def test_a_change_is_told_once(say: Say) -> None:
    fine, bad = Health("healthy", "Fine."), Health("unhealthy", "Full.")

    told = []
    for health in (fine, bad, bad, fine, fine):
        say(disk=health)
        with capture_logs() as lines:
            checkups.run()
        told.append([(each["was"], each["status"]) for each in lines])

    assert told == [
        [],
        [("healthy", "unhealthy")],
        [],
        [("unhealthy", "healthy")],
        [],
    ]


def test_a_check_that_is_bad_from_the_first_time_on_is_told(say: Say) -> None:
    say(disk=Health("degraded", "Little."))

    with capture_logs() as lines:
        checkups.run()

    (line,) = lines
    assert line["event"] == "health.changed"
    assert (line["check"], line["says"]) == ("disk", "Little.")
    assert line["log_level"] == "warning"


def test_one_bad_check_that_raises_leaves_the_others_kept(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Health:
        raise RuntimeError("with a secret")

    say(disk=Health("healthy", "Plenty."))
    monkeypatch.setitem(registry._probes, "bad", Probe("bad", fail, timeout_s=5))

    checkups.run()

    assert [(name, status) for name, status, _ in _kept()] == [
        ("bad", "degraded"),
        ("disk", "healthy"),
    ]
    assert "secret" not in str(_kept())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it ends the transaction")
def test_what_the_database_cannot_keep_is_in_the_log(say: Say) -> None:
    say(disk=Health("healthy", "Plenty."), model=Health("degraded", "It is away."))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE monitoring_checkresult")

    with capture_logs() as lines, pytest.raises(Error):
        tasks.check_health.apply(throw=True)

    told = [each["check"] for each in lines if each["event"] == "health.not_kept"]
    assert told == ["model"]
    assert JobRun.objects.get().outcome == "failed"
