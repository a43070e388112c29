"""The embedded queue: nothing is lost, and nothing is handed out twice."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection as database
from django.db import transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu import Connection, Consumer, Exchange, Queue

from monitoring import processes
from oracle_site import broker
from oracle_site.admin import BrokerMessageAdmin
from oracle_site.broker import store
from oracle_site.models import BrokerBinding, BrokerMessage
from tests.servers import ROOT

pytestmark = pytest.mark.django_db

ME, OTHER = f"{processes.me()}#0", "far:boot:1:1#1"
QUEUE = Queue("trial", Exchange("trial"), routing_key="trial")


@pytest.fixture
def connection() -> Iterator[Connection]:
    broker.register()
    with Connection("djangodb://") as opened:
        yield opened


@pytest.fixture(scope="module")
def dead_owner() -> str:
    """A connection of a real process that has ended."""
    code = "from monitoring import processes; print(processes.me())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True
    )
    return f"{done.stdout.decode().strip()}#1"


def _publish(connection: Connection, *bodies: Any) -> None:
    with connection.Producer() as producer:
        for body in bodies:
            producer.publish(
                body, exchange=QUEUE.exchange, routing_key="trial", declare=[QUEUE]
            )


def _receive(connection: Connection, count: int) -> list[Any]:
    """Return the next messages, unacknowledged; their channel stays open."""
    received: list[Any] = []
    channel = connection.channel()
    consumer = Consumer(channel, [QUEUE], on_message=received.append)
    consumer.consume()
    while len(received) < count:
        connection.drain_events(timeout=1)
    return received


def _sweep(*, now: datetime | None = None, open_owners: tuple[str, ...] = ()) -> None:
    store.sweep(open_owners=open_owners, now=now or timezone.now())


def test_messages_arrive_whole_and_in_order(connection: Connection) -> None:
    bodies = [{"text": "näïve ☂"}, [1, 2, 3], "plain"]
    _publish(connection, *bodies)

    assert [message.decode() for message in _receive(connection, 3)] == bodies


def test_a_message_stays_until_it_is_acknowledged(connection: Connection) -> None:
    _publish(connection, "work")
    (message,) = _receive(connection, 1)

    assert BrokerMessage.objects.get().owner.startswith(processes.me())
    message.ack()
    assert not BrokerMessage.objects.exists()


def test_a_requeued_message_is_delivered_again_and_says_so(
    connection: Connection,
) -> None:
    _publish(connection, "work")
    (first,) = _receive(connection, 1)

    first.requeue()
    (again,) = _receive(connection, 1)

    assert not first.delivery_info["redelivered"]
    assert again.delivery_info["redelivered"]


def test_a_refused_message_is_kept_for_the_operator(connection: Connection) -> None:
    _publish(connection, "work")
    (message,) = _receive(connection, 1)

    message.reject()

    buried = BrokerMessage.objects.get()
    assert buried.buried_because == "refused by the worker"
    assert store.claim("trial", owner=ME) is None


def test_what_was_received_but_not_tried_comes_back_when_the_connection_closes(
    connection: Connection,
) -> None:
    _publish(connection, "work")
    _receive(connection, 1)

    connection.close()

    message = BrokerMessage.objects.get()
    assert (message.owner, message.delivery_count) == ("", 0)


def test_publishing_joins_the_transaction_that_is_open(connection: Connection) -> None:
    with transaction.atomic():
        _publish(connection, "work")
        transaction.set_rollback(True)

    assert not BrokerMessage.objects.exists()


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


def test_a_broadcast_reaches_every_queue_that_is_bound_in_any_process(
    connection: Connection,
) -> None:
    exchange = Exchange("all", type="fanout", durable=False)
    channel = connection.channel()
    for name in ("one", "two"):
        Queue(name, exchange, auto_delete=True)(channel).declare()
    with Connection("djangodb://") as elsewhere, elsewhere.Producer() as producer:
        producer.publish("hear", exchange=exchange, declare=[exchange])

    assert {m.queue for m in BrokerMessage.objects.all()} == {"one", "two"}


def test_a_temporary_queue_ends_with_its_connection(connection: Connection) -> None:
    exchange = Exchange("all", type="fanout", durable=False)
    Queue("one", exchange, auto_delete=True)(connection.channel()).declare()
    QUEUE(connection.channel()).declare()
    store.put("one", "unread")

    connection.close()

    assert BrokerBinding.objects.get().queue == "trial"
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


def test_a_reader_that_acknowledges_nothing_leaves_nothing(
    connection: Connection,
) -> None:
    _publish(connection, "news")
    received: list[Any] = []
    with Consumer(connection, [QUEUE], on_message=received.append, no_ack=True):
        connection.drain_events(timeout=1)

    assert [message.decode() for message in received] == ["news"]
    assert not BrokerMessage.objects.exists()


def test_waiting_for_a_message_ends_at_the_timeout(connection: Connection) -> None:
    with (
        Consumer(connection, [QUEUE], on_message=print),
        pytest.raises(socket.timeout),
    ):
        connection.drain_events(timeout=0.05)


def test_a_topic_reaches_the_queues_whose_pattern_fits(connection: Connection) -> None:
    exchange = Exchange("topics", type="topic")
    channel = connection.channel()
    Queue("all", exchange, routing_key="job.#")(channel).declare()
    Queue("one", exchange, routing_key="job.done")(channel).declare()
    with connection.Producer(exchange=exchange) as producer:
        producer.publish("a", routing_key="job.failed")
        producer.publish("b", routing_key="job.done")

    queues = sorted(BrokerMessage.objects.values_list("queue", flat=True))
    assert queues == ["all", "all", "one"]


def test_a_queue_can_be_counted_and_emptied(connection: Connection) -> None:
    _publish(connection, *range(3))
    bound = QUEUE(connection.channel())

    assert bound.queue_declare().message_count == 3
    assert bound.purge() == 3
    assert store.size("trial") == 0


def test_the_control_room_shows_the_queue_and_changes_nothing() -> None:
    store.put("default", '{"headers": {"task": "chat.reap_generations"}}')
    page = BrokerMessageAdmin(BrokerMessage, admin.site)
    request = RequestFactory().get("/")

    assert page.task(next(islice(BrokerMessage.objects.all(), 1))) == (
        "chat.reap_generations"
    )
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
