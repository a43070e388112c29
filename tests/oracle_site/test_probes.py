"""What the site tells of its queue, its schedule and its end."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery import Celery
from django.utils import timezone

from monitoring import registry
from monitoring.models import Lease
from oracle_site import probes, schedule
from oracle_site.celery import app
from oracle_site.launcher.claims import free_port
from oracle_site.models import BrokerMessage
from tests import servers


@pytest.fixture
def frozen_port() -> Iterator[int]:
    """A port at which somebody takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        yield frozen.getsockname()[1]


def _redis(port: int) -> Celery:
    options = {"socket_connect_timeout": 1, "socket_timeout": 0.3}
    with_server = Celery(broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    with_server.conf.broker_transport_options = options
    return with_server


def _wait(age_s: float) -> None:
    """Put a task into the queue that has waited so long."""
    at = timezone.now() - timedelta(seconds=age_s)
    BrokerMessage.objects.create(queue="default", payload="{}", created_at=at)


@pytest.mark.django_db
def test_an_empty_queue_is_healthy() -> None:
    assert probes.queue(app) == registry.Health("healthy", "No task waits.")


@pytest.mark.django_db
@pytest.mark.parametrize(("age_s", "status"), [(270, "healthy"), (301, "degraded")])
def test_a_task_that_waits_for_minutes_is_noticed(age_s: float, status: str) -> None:
    _wait(age_s)
    _wait(0)

    health = probes.queue(app)

    assert health.status == status
    assert health.sentence.startswith("A task has waited for ")


@pytest.mark.django_db
def test_the_tasks_of_the_queue_are_counted_by_what_becomes_of_them() -> None:
    for _ in range(3):
        _wait(0)
    BrokerMessage.objects.create(queue="default", payload="{}", owner="somebody")
    for owner in ("", "somebody"):
        BrokerMessage.objects.create(
            queue="default", payload="{}", owner=owner, buried_at=timezone.now()
        )

    assert probes.depth(app) == {"waiting": 3, "running": 1, "buried": 2}


def test_of_a_servers_queue_no_depth_is_told() -> None:
    assert probes.depth(_redis(1)) == {}


@pytest.mark.django_db
def test_a_task_that_is_being_run_or_was_given_up_does_not_wait() -> None:
    _wait(900)
    _wait(900)
    first, second = BrokerMessage.objects.order_by("id")
    BrokerMessage.objects.filter(pk=first.pk).update(owner="somebody")
    BrokerMessage.objects.filter(pk=second.pk).update(buried_at=timezone.now())

    assert probes.queue(app).status == "healthy"


def test_a_queue_that_nobody_serves_is_degraded() -> None:
    health = probes.queue(_redis(free_port()))

    assert health.status == "degraded"
    assert "does not answer" in health.sentence


def test_a_queue_that_is_frozen_is_degraded_within_its_time(frozen_port: int) -> None:
    began_at = time.monotonic()

    health = probes.queue(_redis(frozen_port))

    assert health.status == "degraded"
    assert time.monotonic() - began_at < registry.probe("broker").timeout_s


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("left_s", "status", "words"),
    [
        (None, "degraded", "No scheduler runs."),
        (60, "healthy", "A scheduler runs."),
        (-9, "degraded", "No scheduler has run for "),
    ],
)
def test_a_scheduler_is_known_by_its_lease(
    left_s: float | None, status: str, words: str
) -> None:
    if left_s is not None:
        until = timezone.now() + timedelta(seconds=left_s)
        Lease.objects.create(name=schedule.LEASE, holder="a:b:1:1", until=until)

    health = registry.probe("beat").check()

    assert health.status == status
    assert health.sentence.startswith(words)


def test_a_process_that_is_not_ending_has_no_reason_to_get_no_traffic() -> None:
    assert registry.blockers() == []


def test_the_command_prints_every_check_and_its_code_is_that_of_the_worst(
    site: servers.Site,
) -> None:
    table = servers.exit_of(site.env, "health")
    report = servers.exit_of(site.env, "health", "--json")

    checks = json.loads(report.text)["checks"]
    assert checks.keys() == {probe.name for probe in registry.probes()}
    assert (table.code, report.code) == (1, 1)  # no worker runs here
    assert json.loads(report.text)["status"] == "degraded"
    for name, check in checks.items():
        assert f"{name} " in table.text
        assert check["status"] in {"healthy", "degraded"}
    assert "docs/RUNBOOK.md#check-worker" in table.text
