"""Telling of a decision while processes die, and while others hold the alerts."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from tests.chat.observed import NOON
from tests.clients import until
from tests.flags.processes import Process, migrated, on_postgresql, processes

_LATER = "2030-01-01T00:00+00:00"


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return migrated(tmp_path_factory.mktemp("told"))


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with on_postgresql(tmp_path_factory.mktemp("told")) as env:
        yield env


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    found: dict[str, str] = request.getfixturevalue(request.param)
    return found


def _tick(moment: datetime) -> str:
    return f"tick({moment.isoformat()!r})"


def test_a_rollback_is_told_although_who_decided_it_died(
    database: dict[str, str],
) -> None:
    with processes(database, 2) as (one, other):
        number = _begun(one)
        one.ask("apply('alice', {USE.name: False})")
        assert other.ask("die_after_deciding()") == "None"

        assert other.ask(_tick(NOON + timedelta(seconds=30))) == ""

        state = f"Rollout.objects.get(pk={number}).state"
        assert one.ask(state) == "rolling_back"
        alerts = f"Alert.objects.filter(name='rollout', label='rollout {number}')"
        told = f"list({alerts}.values_list('severity', 'event_count'))"
        assert one.ask(told) == "[('critical', 1)]"
        incidents = f"Incident.objects.filter(entries__alert__in={alerts}).distinct()"
        assert one.ask(f"{incidents}.count()") == "1"
        for seconds in (60, 90, 120):
            one.ask(_tick(NOON + timedelta(seconds=seconds)))
        assert one.ask(state) == "rolled_back"
        assert one.ask(told) == "[('critical', 1)]"


def test_who_holds_an_alert_keeps_no_rollback_from_taking_effect(
    postgresql: dict[str, str],  # SQLite has one lock for everything
) -> None:
    with processes(postgresql, 2) as (one, other):
        label = f"label='rollout {_begun(one)}'"
        one.ask(f"notify.raise_alert('rollout', severity='info', summary='-', {label})")

        with psycopg.connect(postgresql["DATABASE_URL"]) as holder:
            holder.execute("SELECT * FROM monitoring_alert FOR UPDATE")
            one.send("give('alice', 'roll_back')")
            state = "rollouts.watched().state"
            until(lambda: other.ask(state) == "rolling_back", within_s=60)

        assert one.answer() == "done"
        told = f"Alert.objects.get(name='rollout', {label})"
        assert one.ask(f"{told}.severity") == "critical"
        assert one.ask(f"{told}.event_count") == "2"
        assert one.ask(f"tick({_LATER!r})") == "True"


def _begun(one: Process) -> str:
    number = one.ask("begin()")
    one.ask(_tick(NOON))
    return number
