"""The embedded queue: nothing is lost, and nothing is handed out twice."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from kombu import Connection, Consumer, Exchange, Queue

from monitoring import processes
from oracle_site import broker
from oracle_site.broker import store
from oracle_site.models import BrokerBinding, BrokerMessage

pytestmark = pytest.mark.django_db

ME, OTHER = f"{processes.me()}#0", "far:boot:1:1#1"
QUEUE = Queue("trial", Exchange("trial"), routing_key="trial")


@pytest.fixture
def connection() -> Iterator[Connection]:
    broker.register()
    with Connection("djangodb://") as opened:
        yield opened


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
