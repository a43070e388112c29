"""What rules may watch, held against the rows that it is read from."""

import shutil
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from django.db import Error, connection
from django.utils import timezone

from chat.models import Generation
from monitoring import backup_age, facts, jobs, registry, slis
from monitoring.alerting import defaults, engine, measuring, signals
from monitoring.history import hour_of
from monitoring.models import (
    Alert,
    AlertRule,
    CheckResult,
    Delivery,
    JobRun,
    Lease,
    Point,
    Watch,
)
from oracle_site import schedule
from tests.chat import stored

pytestmark = pytest.mark.django_db
_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)


def _value(name: str, window: timedelta = _HOUR) -> float | None:
    (reading,) = slis.read(name, window)
    return reading.value


def _parts(name: str, window: timedelta = _HOUR) -> dict[str, float | None]:
    return {reading.label: reading.value for reading in slis.read(name, window)}


def _turns(*errors: str, ago: timedelta = timedelta(minutes=1), **columns: Any) -> None:
    """Add one turn for each error code; "": it went well."""
    at = timezone.now() - ago
    for code in errors:
        conversation = stored.conversation()
        stored.turn(conversation)
        given = {"created_at": at, "ended_at": at, "error_code": code} | columns
        Generation.objects.filter(conversation=conversation).update(**given)


def test_every_default_watches_something_that_is_offered() -> None:
    offered = {metric.name for metric in registry.metrics()}

    assert {each.columns["metric"] for each in defaults.ALL} <= offered
    assert {"latency_p95_ms", "first_text_p95_ms"} <= offered


def test_without_turns_there_is_no_share_and_no_time_but_no_error_either() -> None:
    for name in (
        *("error_ratio", "error_budget_burn", "latency_avg_ms", "latency_p95_ms"),
        *("first_text_p95_ms", "session_hit_ratio", "session_recovery_ratio"),
    ):
        assert _value(name) is None
    assert _value("errors_per_hour") == 0


def test_errors_are_counted_over_the_window_only() -> None:
    _turns("", "", "", "GEMINI_TIMEOUT")
    _turns("GEMINI_TIMEOUT", ago=timedelta(minutes=20))

    (reading,) = slis.read("error_ratio", _QUARTER)

    assert (reading.value, reading.samples) == (0.25, 4)
    assert _value("error_ratio") == pytest.approx(0.4)
    assert _value("errors_per_hour") == 2
    assert _value("errors_per_hour", _QUARTER) == 4
    assert _value("error_budget_burn") == pytest.approx(0.4 / (1 - signals.SLO))


def test_over_hours_errors_are_those_that_history_recorded() -> None:
    _turns("GEMINI_TIMEOUT")
    assert _value("error_ratio", 6 * _HOUR) is None

    begin = hour_of(timezone.now() - 3 * _HOUR)
    for name, label, count in (
        *(("turns", "complete", 90), ("turns", "failed", 10)),
        ("errors", "GEMINI_TIMEOUT", 10),
    ):
        Point.objects.create(
            step_s=3600, begin=begin, name=name, label=label, count=count, total=count
        )

    (share,) = slis.read("error_ratio", 6 * _HOUR)

    assert (share.value, share.samples) == (0.1, 100)
    assert _value("error_budget_burn", 6 * _HOUR) == pytest.approx(10)


def test_a_turn_that_runs_is_none() -> None:
    _turns("", ended_at=None, status="running")

    assert _value("error_ratio") is None


def test_times_are_those_of_the_rows() -> None:
    times = [100.0 * number for number in range(1, 41)]
    for duration_ms in times:
        _turns("", duration_ms=duration_ms, time_to_first_token_ms=duration_ms / 10)
    _turns("GEMINI_TIMEOUT", duration_ms=None, time_to_first_token_ms=None)
    expected = facts.Timing.of(times)

    (average,) = slis.read("latency_avg_ms", _HOUR)

    assert (average.value, average.samples) == (expected.avg_ms, 40)
    assert _value("latency_p95_ms") == expected.p95_ms
    assert expected.p95_ms is not None
    assert _value("first_text_p95_ms") == pytest.approx(expected.p95_ms / 10)


def test_how_sessions_were_found_is_a_share_of_all_but_first_turns() -> None:
    for outcome in ("hit", "hit", "recovered", "stateless", "created"):
        _turns("", variant="on", session_outcome=outcome)

    assert _value("session_hit_ratio") == 0.5
    assert _value("session_recovery_ratio") == 0.25


def test_the_machine_is_looked_at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(percent=91.5))
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: SimpleNamespace(free=1_500_000_000)
    )

    assert _value("memory_used_percent") == 91.5
    assert _value("disk_free_gb") == 1.5


def test_the_pool_is_a_share_of_its_maximum() -> None:
    stored.put(MAX_PERSISTENT_SESSIONS=50)

    assert _value("pool_used_ratio") == 0


def _check(name: str, status: str, *, ago: timedelta) -> None:
    CheckResult.objects.create(
        name=name, status=status, sentence=".", took_ms=1, at=timezone.now() - ago
    )


def test_of_a_check_the_newest_result_counts_while_it_is_fresh() -> None:
    _check("disk", "unhealthy", ago=timedelta(minutes=10))
    _check("disk", "degraded", ago=timedelta(minutes=5))
    _check("memory", "healthy", ago=timedelta(minutes=5))
    _check("beat", "unhealthy", ago=timedelta(minutes=16))
    _check("odd", "newer", ago=timedelta(minutes=1))

    assert _parts("check_state", _QUARTER) == {"disk": 1, "memory": 0, "odd": None}


def test_messages_that_were_given_up_are_counted_by_channel() -> None:
    for channel, state in (("email", "failed"), ("email", "sent"), ("log", "sent")):
        Delivery.objects.create(
            channel=channel, severity="info", subject="s", text="t", state=state
        )

    assert _parts("deliveries_failed") == {
        "email": 1,
        "log": 0,
        "slack": 0,
        "webhook": 0,
        "apprise": 0,
    }


def test_a_backup_has_an_age_and_none_has_no_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newest: list[datetime | None] = [None]
    monkeypatch.setattr(backup_age, "newest", lambda: newest[0])
    assert _value("backup_age_hours") is None

    newest[0] = timezone.now() - timedelta(hours=27)

    assert _value("backup_age_hours") == pytest.approx(27, abs=0.01)


def test_the_scheduler_is_silent_since_it_last_renewed_its_lease() -> None:
    until = timezone.now() + timedelta(seconds=schedule.LEASE_S)
    lease = Lease.objects.create(name=schedule.LEASE, holder="h:b:1:1", until=until)
    assert _value("beat_silent_s") == pytest.approx(0, abs=1)

    lease.until -= timedelta(seconds=100)
    lease.save()

    assert _value("beat_silent_s") == pytest.approx(100, abs=1)


def test_without_a_lease_the_last_run_of_a_job_tells_or_the_migration() -> None:
    silent_s = _value("beat_silent_s")
    assert silent_s is not None
    assert silent_s >= 0

    began = timezone.now() - timedelta(minutes=10)
    JobRun.objects.create(name="any", slot="1", holder="h:b:1:1", started_at=began)

    assert _value("beat_silent_s") == pytest.approx(600, abs=1)


def test_a_metric_that_nobody_offers_is_named() -> None:
    with pytest.raises(KeyError, match="no_such_metric"):
        slis.read("no_such_metric", _HOUR)


def test_settings_switch_their_rules() -> None:
    assert registry.is_switched_on("ALERT_ON_HIGH_RECOVERY_RATE")

    stored.put(ALERT_ON_HIGH_RECOVERY_RATE=False)

    assert not registry.is_switched_on("ALERT_ON_HIGH_RECOVERY_RATE")
    assert registry.is_switched_on("ALERT_ON_LOW_CACHE_HIT_RATIO")


@pytest.mark.django_db(transaction=True)
def test_the_default_rules_work_on_a_real_database() -> None:
    AlertRule.objects.exclude(
        name__in=["high-error-rate", "error-budget-fast", "many-errors"]
    ).update(is_enabled=False)
    _turns(*["GEMINI_TIMEOUT"] * 15, *[""] * 10)
    now = timezone.now()

    engine.evaluate(now)
    engine.evaluate(now + timedelta(seconds=60))

    found = {alert.name: alert for alert in Alert.objects.all()}
    assert set(found) == {"high-error-rate", "error-budget-fast", "many-errors"}
    assert found["high-error-rate"].state == "firing"
    assert found["high-error-rate"].value == 0.6
    assert found["error-budget-fast"].value == pytest.approx(60)


@pytest.mark.django_db(transaction=True)
def test_every_default_is_read_in_time_on_a_real_database() -> None:
    wanted = [
        measuring.Wanted(rule.metric, rule.window_s) for rule in AlertRule.objects.all()
    ]

    found = measuring.read(wanted)

    silent = {each.metric for each, readings in found.items() if not readings}
    assert silent <= {"check_state", "job_failures"}  # nothing has run


@pytest.mark.django_db(transaction=True)
def test_a_database_in_trouble_makes_the_job_fail_and_the_next_one_works() -> None:
    now = timezone.now()
    _rename("monitoring_watch", "away")
    try:
        with pytest.raises(Error):
            jobs.run("monitoring.evaluate_alerts")
    finally:
        _rename("away", "monitoring_watch")

    engine.evaluate(now)

    assert Watch.objects.get().evaluated_at == now
    outcomes = JobRun.objects.filter(name="monitoring.evaluate_alerts")
    assert [run.outcome for run in outcomes] == ["failed"]


def _rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")
