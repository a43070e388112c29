"""Many at once: one incident, one acknowledgement, one message."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection

from monitoring import incidents
from monitoring.errors import MonitoringError
from monitoring.models import Channel, Delivery, Incident, IncidentEntry
from monitoring.responding import letters
from monitoring.responding.letters import Kind, Letter
from tests.monitoring.responding import making

pytestmark = pytest.mark.django_db(transaction=True)

_COUNT = 6


def _at_once(*steps: Callable[[], object]) -> int:
    """Do all of these at the same moment; return how many were not refused."""
    start = Barrier(len(steps))

    def run(step: Callable[[], object]) -> bool:
        try:
            start.wait()
            step()
        except MonitoringError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(len(steps)) as threads:
        return sum(threads.map(run, steps))


def test_many_alerts_open_one_incident() -> None:
    alerts = [making.alert(f"alert{number}") for number in range(_COUNT)]

    _at_once(*(partial(incidents.open_for, alert) for alert in alerts))

    assert Incident.objects.count() == 1
    assert IncidentEntry.objects.count() == _COUNT


def test_one_alert_seen_by_many_opens_one_incident() -> None:
    alert = making.alert()

    _at_once(*[partial(incidents.open_for, alert)] * _COUNT)

    assert Incident.objects.count() == 1
    assert IncidentEntry.objects.count() == 1


def test_one_of_many_acknowledges_it() -> None:
    pk = making.opened().pk
    step = partial(incidents.acknowledge, pk, actor="alice")

    assert _at_once(*[step] * _COUNT) == 1


def test_one_of_many_resolves_it() -> None:
    pk = making.opened().pk
    step = partial(incidents.resolve, pk, actor="alice")

    assert _at_once(*[step] * _COUNT) == 1
    assert IncidentEntry.objects.filter(text="Resolved.").count() == 1


def test_one_of_many_sends_the_letter() -> None:
    Channel.objects.update_or_create(
        kind="log", defaults={"min_severity": "info", "is_enabled": True}
    )
    Channel.objects.exclude(kind="log").delete()
    pk = making.opened().pk
    letter = Letter("Issue", "Answers fail.")
    step = partial(letters.send, pk, Kind.ISSUE, letter, actor="alice", seen=0)

    assert _at_once(*[step] * _COUNT) == 1
    assert Delivery.objects.count() == 1
