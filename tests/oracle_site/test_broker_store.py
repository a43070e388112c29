"""The rows of the embedded queue: claimed once, and free again when someone dies."""

import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from django.contrib import admin
from django.db import connection as database
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring import processes
from oracle_site.admin import BrokerMessageAdmin
from oracle_site.broker import store
from oracle_site.models import BrokerBinding, BrokerMessage
from tests.servers import ROOT

pytestmark = pytest.mark.django_db

ME, OTHER = f"{processes.me()}#0", "far:boot:1:1#1"


@pytest.fixture(scope="module")
def dead_owner() -> str:
    """A connection of a real process that has ended."""
    code = "from monitoring import processes; print(processes.me())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True
    )
    return f"{done.stdout.decode().strip()}#1"


def _sweep(*, now: datetime | None = None, open_owners: tuple[str, ...] = ()) -> None:
    store.sweep(open_owners=open_owners, now=now or timezone.now())


def test_one_message_goes_to_one_reader() -> None:
    for number in range(3):
        store.put("trial", str(number))

    claims = [store.claim("trial", owner=owner) for owner in (ME, OTHER, ME, OTHER)]

    assert [claim and claim.payload for claim in claims] == ["0", "1", "2", None]


def test_an_idle_reader_only_reads() -> None:
    with CaptureQueriesContext(database) as queries:
        store.claim("trial", owner=ME)
        store.take("trial")
        _sweep()

    assert all(query["sql"].startswith("SELECT") for query in queries)


def test_what_a_dead_process_of_this_host_had_is_free_at_once(dead_owner: str) -> None:
    store.put("trial", "work")
    store.claim("trial", owner=dead_owner)

    _sweep()

    delivery = store.claim("trial", owner=ME)
    assert delivery is not None
    assert delivery.is_redelivered


def test_what_a_closed_connection_of_this_process_had_is_free_at_once() -> None:
    store.put("trial", "work")
    store.claim("trial", owner=ME)

    _sweep(open_owners=(ME,))
    assert BrokerMessage.objects.get().owner == ME

    _sweep()
    assert BrokerMessage.objects.get().owner == ""


def test_what_another_host_has_is_free_when_its_lease_ran_out() -> None:
    store.put("trial", "work")
    store.claim("trial", owner=OTHER)
    now = timezone.now()

    _sweep(now=now + store.MESSAGE_LEASE / 2)
    assert BrokerMessage.objects.get().owner == OTHER

    _sweep(now=now + store.MESSAGE_LEASE + timedelta(seconds=1))
    assert BrokerMessage.objects.get().owner == ""


def test_the_lease_of_a_long_task_is_renewed() -> None:
    store.put("trial", "work")
    store.claim("trial", owner=ME)
    later = timezone.now() + store.MESSAGE_LEASE * 0.9

    _sweep(now=later, open_owners=(ME,))

    assert BrokerMessage.objects.get().leased_until == later + store.MESSAGE_LEASE


def test_one_who_lost_a_message_can_neither_finish_nor_return_it() -> None:
    store.put("trial", "work")
    delivery = store.claim("trial", owner=OTHER)
    assert delivery is not None

    store.ack(delivery.tag, owner=ME)
    store.requeue(delivery.tag, owner=ME)
    store.give_back(delivery.tag, owner=ME)

    assert BrokerMessage.objects.get().owner == OTHER


def test_a_message_that_is_never_finished_is_buried_after_five_deliveries() -> None:
    store.put("trial", "poison")
    store.put("trial", "good")

    for _ in range(store.MAX_DELIVERIES):
        delivery = store.claim("trial", owner=ME)
        assert delivery is not None
        assert delivery.payload == "poison"
        store.requeue(delivery.tag, owner=ME)
    after = store.claim("trial", owner=ME)

    assert after is not None
    assert after.payload == "good"
    poison = BrokerMessage.objects.get(payload="poison")
    assert poison.buried_because == "not finished in 5 deliveries"


def test_the_buried_are_kept_for_thirty_days() -> None:
    store.put("trial", "poison")
    delivery = store.claim("trial", owner=ME)
    assert delivery is not None
    store.bury(delivery.tag, owner=ME, reason="refused")
    now = timezone.now()

    _sweep(now=now + timedelta(days=29))
    assert BrokerMessage.objects.exists()

    _sweep(now=now + timedelta(days=31))
    assert not BrokerMessage.objects.exists()


def test_a_temporary_queue_ends_with_its_process(dead_owner: str) -> None:
    key = {"exchange": "all", "routing_key": "", "pattern": ""}
    store.bind(**key, queue="gone", owner=dead_owner)
    store.bind(**key, queue="kept", owner="")
    for queue in ("gone", "kept"):
        store.put(queue, "unread")

    _sweep()

    assert BrokerBinding.objects.get().queue == "kept"
    assert BrokerMessage.objects.get().queue == "kept"


def test_the_control_room_shows_the_queue_and_changes_nothing() -> None:
    store.put("default", '{"headers": {"task": "chat.reap_generations"}}')
    page = BrokerMessageAdmin(BrokerMessage, admin.site)
    request = RequestFactory().get("/")

    assert page.task(BrokerMessage.objects.get()) == ("chat.reap_generations")
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
